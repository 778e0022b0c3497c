//! Por qué una parte no arranca o termina antes de tiempo: una frase, con el remedio, para quien ejecuta el programa.

use std::error::Error as Causa;
use std::io;
use std::iter::successors;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    #[error("{variable}={valor:?} no sirve: {motivo}")]
    Variable { variable: &'static str, valor: String, motivo: String },
    #[error("no se puede escuchar en {direccion}: {source}; elija otra dirección con --escuchar")]
    Escuchar { direccion: String, source: io::Error },
    #[error("{0} (--nombres, AEROALPES_NOMBRES)")]
    Nombre(#[from] bitacora_origin::NameError),
    #[error(
        "{url:?} no es la dirección de una API: {motivo}; ponga en AEROALPES_ADDRESS host, host:puerto o una URL \
         http://"
    )]
    DireccionApi { url: String, motivo: String },
    #[error("la dirección del broker no sirve: {}; revise PULSAR_ADDRESS o PULSAR_SERVICE_URL", con_causas(.0))]
    Broker(#[source] bitacora_pulsar::Error),
    #[error("{tema:?} no es el nombre de un tema ({source}); escriba persistent://public/default/nombre")]
    Tema { tema: String, source: bitacora_pulsar::wire::Error },
    #[error("el esquema del {registro} no sirve: {source}")]
    Esquema { registro: &'static str, source: Box<dyn Causa + Send + Sync> },
    #[error("{}", con_causas(.0))]
    Consumo(#[from] bitacora_pulsar::Error),
    #[error(
        "no se puede crear la carpeta {}: {source}; revise su ruta y sus permisos, o nombre otra con --datos",
        .ruta.display()
    )]
    Carpeta { ruta: PathBuf, source: io::Error },
    #[error(
        "no se puede abrir la bandeja {}: {source}; termine el proceso que la usa, o nombre otra carpeta con --datos",
        .ruta.display()
    )]
    BandejaCerrada { ruta: PathBuf, source: Box<redb::Error> },
    /// Está vacía, o tiene bytes que nadie escribió en ella.
    #[error(
        "la bandeja {} está dañada ({source}); recupérela de una copia, o bórrela: los correos de eventos que siguen \
         en el broker pueden volver a salir",
        .ruta.display()
    )]
    BandejaDanada { ruta: PathBuf, source: Box<redb::Error> },
    #[error("no se puede preparar la conexión con el servidor de correo: {}", con_causas(.0))]
    Correo(#[source] lettre::transport::smtp::Error),
    #[error("el servidor gRPC falló: {}", con_causas(.0.as_ref()))]
    Grpc(#[source] Box<dyn Causa + Send + Sync>),
    #[error(
        "no hay conexión con el sidecar en {direccion}: {}; revise que esté en marcha, o nombre su \
         dirección con --direccion",
        con_causas(.source)
    )]
    SinConexion { direccion: String, source: tonic::transport::Error },
    #[error("el sidecar contestó {codigo:?}: {mensaje}")]
    Rechazado { codigo: tonic::Code, mensaje: String },
    #[error("no se puede leer el archivo {}: {source}", .ruta.display())]
    Archivo { ruta: PathBuf, source: io::Error },
    #[error("no se puede enviar el archivo {}: {motivo}", .ruta.display())]
    Contenido { ruta: PathBuf, motivo: String },
}

impl From<tonic::Status> for Error {
    fn from(estado: tonic::Status) -> Self {
        Self::Rechazado { codigo: estado.code(), mensaje: estado.message().to_owned() }
    }
}

/// Devuelve la frase de un error y, detrás, la de cada una de sus causas. Es para errores de bibliotecas que no dicen
/// su causa en su frase, como los de reqwest, los de tonic y los del cliente de Pulsar.
pub(crate) fn con_causas(error: &(dyn Causa + 'static)) -> String {
    let frases: Vec<String> = successors(Some(error), |&error| error.source()).map(ToString::to_string).collect();
    frases.join(": ")
}
