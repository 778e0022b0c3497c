//! Por qué terminan el servidor o el cliente.

use std::path::PathBuf;

use thiserror::Error;

use crate::causas::con_causas;

/// Lo que termina el servidor o una llamada del cliente.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// La dirección de la API no lo es.
    #[error(
        "{url:?} no es la dirección de una API: {motivo}; ponga en AEROALPES_ADDRESS host, host:puerto o una URL \
         http://"
    )]
    DireccionApi {
        /// El texto.
        url: String,
        /// Qué tiene de malo.
        motivo: String,
    },
    /// No se puede abrir el puerto.
    #[error("no se puede escuchar en {direccion}: {source}; elija otra dirección con --escuchar")]
    Puerto {
        /// La dirección.
        direccion: String,
        /// El error del sistema.
        #[source]
        source: std::io::Error,
    },
    /// El servidor, o una parte suya, falló.
    #[error("el servidor gRPC falló: {}", con_causas(source.as_ref()))]
    Servidor {
        /// Su error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No hay conexión con el sidecar.
    #[error(
        "no hay conexión con el sidecar en {direccion}: {}; revise que esté en marcha, o nombre su \
         dirección con --direccion",
        con_causas(.source)
    )]
    SinConexion {
        /// La dirección.
        direccion: String,
        /// El error del transporte.
        #[source]
        source: tonic::transport::Error,
    },
    /// El sidecar se negó.
    #[error("el sidecar contestó {codigo:?}: {mensaje}")]
    Rechazado {
        /// El código de gRPC.
        codigo: tonic::Code,
        /// Su texto.
        mensaje: String,
    },
    /// No se puede leer el archivo.
    #[error("no se puede leer el archivo {}: {source}", ruta.display())]
    Archivo {
        /// El archivo.
        ruta: PathBuf,
        /// El error del sistema.
        #[source]
        source: std::io::Error,
    },
    /// El archivo no es una reserva que quepa en un mensaje.
    #[error("no se puede enviar el archivo {}: {motivo}", ruta.display())]
    Contenido {
        /// El archivo.
        ruta: PathBuf,
        /// Qué está mal y dónde.
        motivo: String,
    },
}

impl From<tonic::Status> for Error {
    fn from(estado: tonic::Status) -> Self {
        Self::Rechazado { codigo: estado.code(), mensaje: estado.message().to_owned() }
    }
}
