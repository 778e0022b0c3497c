# La página y su websocket. Los programas se compilan antes, una vez: docker-compose build (README.md, capítulo 0).
FROM localhost/aeroalpes/programas
ENV AEROALPES_ESCUCHAR=0.0.0.0:5678
EXPOSE 5678
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/local/bin/aeroalpes", "salud", "http://127.0.0.1:5678/health"]
ENTRYPOINT ["/usr/local/bin/aeroalpes", "ui"]
