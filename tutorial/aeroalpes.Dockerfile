# El API. Los programas se compilan antes, una vez: docker-compose build (README.md, capítulo 0).
FROM localhost/aeroalpes/programas
ENV AEROALPES_ESCUCHAR=0.0.0.0:5000
EXPOSE 5000
# Sano mientras puede reservar; para eso necesita la base de datos, pero no el broker.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/local/bin/aeroalpes", "salud", "http://127.0.0.1:5000/ready", "--si", "base_de_datos=up"]
ENTRYPOINT ["/usr/local/bin/aeroalpes", "api"]
