# Las notificaciones. Los programas se compilan antes, una vez: docker-compose build (README.md, capítulo 0).
FROM localhost/aeroalpes/programas
ENV AEROALPES_DATOS=/datos
VOLUME /datos
ENTRYPOINT ["/usr/local/bin/aeroalpes", "notificaciones"]
