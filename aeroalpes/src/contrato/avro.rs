//! Records to bytes and back: bare Avro data as Pulsar's Avro schemas carry them, without a container.

use apache_avro::types::Value;
use apache_avro::{from_value, to_avro_datum, to_value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::contrato::Error;
use crate::contrato::comando::{self, ComandoCrearReserva};
use crate::contrato::esquema::{self, DatoErroneo, Esquema};
use crate::contrato::evento::{self, EventoReserva};

/// What a text of a record may announce as its length: no message of Pulsar is larger.
const MAX_TEXTO: usize = 5 << 20;

/// A record with a schema of the contract.
pub trait Registro: Serialize + DeserializeOwned {
    /// Name for errors.
    const NOMBRE: &'static str;
    /// Its Avro schema as JSON.
    const ESQUEMA: &'static str;
}

impl Registro for EventoReserva {
    const NOMBRE: &'static str = "event of a reservation";
    const ESQUEMA: &'static str = evento::ESQUEMA;
}

impl Registro for ComandoCrearReserva {
    const NOMBRE: &'static str = "command";
    const ESQUEMA: &'static str = comando::ESQUEMA;
}

/// Reads and writes records of one kind.
#[derive(Debug)]
pub struct Lector {
    schema: Esquema,
    record: &'static str,
}

impl Lector {
    /// Creates a reader and writer for records `T`.
    ///
    /// # Errors
    /// The schema is none: a fault of this crate.
    pub fn nuevo<T: Registro>() -> Result<Self, Error> {
        esquema::limitar_memoria(MAX_TEXTO);
        let schema = Esquema::leer(T::ESQUEMA.as_bytes());
        let schema = schema.map_err(|source| Error::Schema { record: T::NOMBRE, source: Box::new(source) })?;
        Ok(Self { schema, record: T::NOMBRE })
    }

    /// Reads one record that was written with the same schema.
    ///
    /// # Errors
    /// The bytes are not such a record, or more than one.
    pub fn leer<T: Registro>(&self, bytes: &[u8]) -> Result<T, Error> {
        self.leer_escrito_con(&self.schema, bytes)
    }

    /// Reads one record that was written with another schema, as the topic's registry has it.
    ///
    /// # Errors
    /// The writer's schema does not resolve to ours, or the bytes are not such a record.
    pub fn leer_escrito_con<T: Registro>(&self, writer: &Esquema, bytes: &[u8]) -> Result<T, Error> {
        let value = self.decodificar(writer, bytes)?;
        value.resolve(self.schema.schema()).and_then(|value| from_value(&value)).map_err(|error| self.error(error))
    }

    /// Writes one record.
    ///
    /// # Errors
    /// The record does not fit its schema: a fault of this crate.
    pub fn escribir<T: Registro>(&self, record: &T) -> Result<Vec<u8>, Error> {
        let schema = self.schema.schema();
        let value = to_value(record).and_then(|value| value.resolve(schema));
        value.and_then(|value| to_avro_datum(schema, value)).map_err(|error| self.error(error))
    }

    fn decodificar(&self, writer: &Esquema, bytes: &[u8]) -> Result<Value, Error> {
        let record = self.record;
        writer.decodificar(bytes).map_err(|error| match error {
            DatoErroneo::Avro(source) => Error::Avro { record, source },
            DatoErroneo::Cortado(bytes) => Error::Incomplete { record, bytes },
            DatoErroneo::Sobra(bytes) => Error::Trailing { record, bytes },
        })
    }

    fn error(&self, error: apache_avro::Error) -> Error {
        Error::Avro { record: self.record, source: Box::new(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::Lector;
    use crate::contrato::comando::{ComandoCrearReserva, DatosComando};
    use crate::contrato::esquema::Esquema;
    use crate::contrato::evento::{DatosReserva, EventoReserva};

    /// The first bytes as the format's specification lays them out: branch, then zigzag length, then text.
    #[test]
    fn an_event_is_written_as_avro_says_and_read_back() {
        let lector = Lector::nuevo::<EventoReserva>().unwrap();
        let event = EventoReserva {
            id: Some("e1".into()),
            time: Some(-1),
            data: Some(DatosReserva { estado: Some("PENDIENTE".into()), ..DatosReserva::default() }),
            ..EventoReserva::default()
        };
        let bytes = lector.escribir(&event).unwrap();
        assert_eq!(bytes, b"\x02\x04e1\x02\x01\0\0\0\0\0\x02\0\0\x02\x12PENDIENTE\0\0");
        assert_eq!(lector.leer::<EventoReserva>(&bytes).unwrap(), event);
        for cut in 0..bytes.len() {
            assert!(lector.leer::<EventoReserva>(&bytes[..cut]).is_err(), "{cut}");
        }
        assert!(lector.leer::<EventoReserva>(&bytes[1..]).is_err());
        assert!(lector.leer::<EventoReserva>(b"\x02\xff\xff\xff\xff\x0f").is_err());
        assert!(lector.leer::<EventoReserva>(&[bytes.as_slice(), b"\0"].concat()).is_err());
    }

    #[test]
    fn a_command_of_the_tutorial_resolves_to_the_evolved_form() {
        let writer = r#"{"type":"record","name":"ComandoCrearReserva","fields":[{"name":"data","type":["null",
            {"type":"record","name":"ComandoCrearReservaPayload","fields":[{"name":"id_usuario","type":["null","string"]}]}]}]}"#;
        let lector = Lector::nuevo::<ComandoCrearReserva>().unwrap();
        let command = lector
            .leer_escrito_con::<ComandoCrearReserva>(&Esquema::leer(writer.as_bytes()).unwrap(), b"\x02\x02\x02u")
            .unwrap();
        assert_eq!(command.data, Some(DatosComando { id_usuario: Some("u".into()), itinerarios: None }));
    }
}
