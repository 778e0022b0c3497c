# El sidecar: ofrece el API por gRPC. Los programas se compilan antes, una vez: docker-compose build (README.md, capítulo 0).
FROM localhost/aeroalpes/programas
ENV AEROALPES_ESCUCHAR=0.0.0.0:50051
EXPOSE 50051
# Sano mientras el API contesta.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/local/bin/aeroalpes", "salud", "grpc://127.0.0.1:50051"]
ENTRYPOINT ["/usr/local/bin/aeroalpes", "sidecar"]
