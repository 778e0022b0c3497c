//! De registros a bytes y de vuelta: datos Avro sin contenedor, como los llevan los esquemas Avro de Pulsar.

use apache_avro::{from_value, to_avro_datum, to_value};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;
use super::comando::{self, ComandoCrearReserva};
use super::esquema::{self, DatoErroneo, Esquema};
use super::evento::{self, EventoReserva};

/// La mayor longitud que puede anunciar un texto de un registro: ningún mensaje de Pulsar es mayor.
const MAX_TEXTO: usize = 5 << 20;

/// Un registro con un esquema del contrato.
pub trait Registro: Serialize + DeserializeOwned {
    /// Nombre para los errores.
    const NOMBRE: &'static str;
    /// Su esquema Avro en JSON.
    const ESQUEMA: &'static str;
}

impl Registro for EventoReserva {
    const NOMBRE: &'static str = "evento de una reserva";
    const ESQUEMA: &'static str = evento::ESQUEMA;
}

impl Registro for ComandoCrearReserva {
    const NOMBRE: &'static str = "comando";
    const ESQUEMA: &'static str = comando::ESQUEMA;
}

/// Lee y escribe registros de una clase.
#[derive(Debug)]
pub struct Lector {
    esquema: Esquema,
    registro: &'static str,
}

impl Lector {
    /// Crea un lector y escritor de registros `T`.
    ///
    /// # Errors
    /// El esquema no lo es: un error de este programa.
    pub fn nuevo<T: Registro>() -> Result<Self, Error> {
        esquema::limitar_memoria(MAX_TEXTO);
        let registro = T::NOMBRE;
        let esquema = Esquema::leer(T::ESQUEMA.as_bytes());
        let esquema = esquema.map_err(|source| Error::Esquema { registro, source: Box::new(source) })?;
        Ok(Self { esquema, registro })
    }

    /// Lee un registro escrito con el mismo esquema.
    ///
    /// # Errors
    /// Los bytes no son exactamente un registro así.
    pub fn leer<T: Registro>(&self, bytes: &[u8]) -> Result<T, Error> {
        self.leer_escrito_con(&self.esquema, bytes)
    }

    /// Lee un registro escrito con otro esquema, que tiene el registro del tema.
    ///
    /// # Errors
    /// El esquema de quien escribió no lleva al nuestro, o los bytes no son exactamente un registro suyo.
    pub fn leer_escrito_con<T: Registro>(&self, escrito_con: &Esquema, bytes: &[u8]) -> Result<T, Error> {
        let valor = escrito_con.decodificar(bytes).map_err(|source| self.error(source))?;
        let resuelto = valor.resolve(self.esquema.avro()).and_then(|valor| from_value(&valor));
        resuelto.map_err(|error| self.error(Box::new(error).into()))
    }

    /// Escribe un registro.
    ///
    /// # Errors
    /// El registro no cabe en su esquema: un error de este programa.
    pub fn escribir<T: Registro>(&self, registro: &T) -> Result<Vec<u8>, Error> {
        let esquema = self.esquema.avro();
        let valor = to_value(registro).and_then(|valor| valor.resolve(esquema));
        let escrito = valor.and_then(|valor| to_avro_datum(esquema, valor));
        escrito.map_err(|error| self.error(Box::new(error).into()))
    }

    fn error(&self, source: DatoErroneo) -> Error {
        Error::Registro { registro: self.registro, source }
    }
}

#[cfg(test)]
mod tests {
    use super::Lector;
    use crate::contrato::comando::{ComandoCrearReserva, DatosComando};
    use crate::contrato::esquema::Esquema;
    use crate::contrato::evento::{DatosReserva, EventoReserva};

    /// Los primeros bytes son los de la especificación del formato: rama, longitud en zigzag, texto.
    #[test]
    fn un_evento_se_escribe_como_dice_avro_y_se_vuelve_a_leer() {
        let lector = Lector::nuevo::<EventoReserva>().unwrap();
        let evento = EventoReserva {
            id: Some("e1".into()),
            time: Some(-1),
            data: Some(DatosReserva { estado: Some("PENDIENTE".into()), ..DatosReserva::default() }),
            ..EventoReserva::default()
        };
        let bytes = lector.escribir(&evento).unwrap();
        assert_eq!(bytes, b"\x02\x04e1\x02\x01\0\0\0\0\0\x02\0\0\x02\x12PENDIENTE\0\0");
        assert_eq!(lector.leer::<EventoReserva>(&bytes).unwrap(), evento);
        for corte in 0..bytes.len() {
            assert!(lector.leer::<EventoReserva>(&bytes[..corte]).is_err(), "{corte}");
        }
        assert!(lector.leer::<EventoReserva>(&bytes[1..]).is_err());
        assert!(lector.leer::<EventoReserva>(b"\x02\xff\xff\xff\xff\x0f").is_err());
        assert!(lector.leer::<EventoReserva>(&[bytes.as_slice(), b"\0"].concat()).is_err());
    }

    #[test]
    fn un_comando_del_tutorial_se_lee_en_la_forma_evolucionada() {
        let escrito_con = r#"{"type":"record","name":"ComandoCrearReserva","fields":[{"name":"data","type":["null",
            {"type":"record","name":"ComandoCrearReservaPayload","fields":[
            {"name":"id_usuario","type":["null","string"]}]}]}]}"#;
        let escrito_con = Esquema::leer(escrito_con.as_bytes()).unwrap();
        let lector = Lector::nuevo::<ComandoCrearReserva>().unwrap();
        let comando = lector.leer_escrito_con::<ComandoCrearReserva>(&escrito_con, b"\x02\x02\x02u").unwrap();
        assert_eq!(comando.data, Some(DatosComando { id_usuario: Some("u".into()), itinerarios: None }));
    }
}
