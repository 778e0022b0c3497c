//! Datos Avro sin contenedor, como los llevan los mensajes de Pulsar, y sus esquemas. Un esquema se analiza una vez, y
//! solo sirve el que deja decodificar sus datos con pila y memoria acotadas.

use std::io::{self, Read};

use apache_avro::schema::Name;
use apache_avro::types::Value;
use apache_avro::{Schema, from_avro_datum, from_value};
use serde::de::DeserializeOwned;

use super::ilegible::Ilegible;
use crate::error::Error;

/// La definición más larga, en bytes.
const MAX_DEFINICION: usize = 64 * 1024;

/// El mayor valor fijo de una definición, en bytes: se pide de una vez.
const MAX_FIJO: usize = 64 * 1024;

/// La mayor longitud que puede anunciar un texto de un registro: ningún mensaje de Pulsar es mayor.
const MAX_TEXTO: usize = 5 << 20;

/// Acota lo que el decodificador puede pedir por una longitud anunciada; Avro por sí solo admite medio gigabyte. Vale
/// para todo el proceso, y manda el primero que lo dice.
pub(crate) fn limitar_memoria(bytes: usize) {
    apache_avro::util::max_allocation_bytes(bytes);
}

/// Un registro con un esquema del contrato.
pub(crate) trait Registro: DeserializeOwned {
    /// Nombre para los errores.
    const NOMBRE: &'static str;
    /// Su esquema Avro en JSON.
    const ESQUEMA: &'static str;
}

/// Un esquema que sirve.
#[derive(Debug)]
pub(crate) struct Esquema(Schema);

impl Esquema {
    /// Lee el de un registro del contrato.
    pub(crate) fn propio<T: Registro>() -> Result<Self, Error> {
        limitar_memoria(MAX_TEXTO);
        let esquema = Self::leer(T::ESQUEMA.as_bytes());
        esquema.map_err(|source| Error::Esquema { registro: T::NOMBRE, source: Box::new(source) })
    }

    /// Lee una definición.
    pub(crate) fn leer(definicion: &[u8]) -> Result<Self, Ilegible> {
        if definicion.len() > MAX_DEFINICION {
            return Err(Ilegible::con("su esquema es demasiado largo", format_args!("{} bytes", definicion.len())));
        }
        let texto = std::str::from_utf8(definicion).map_err(|error| Ilegible::con("su esquema no es texto", error))?;
        let esquema = Schema::parse_str(texto).map_err(|error| Ilegible::con("su esquema no es Avro", error))?;
        if !es_acotado(&esquema, &mut Vec::new()) {
            let que = "hay recursión, o elementos de cero bytes";
            return Err(Ilegible::con("su esquema no acota lo que ocupa un mensaje", que));
        }
        Ok(Self(esquema))
    }

    /// Decodifica un valor, que ocupa exactamente esos bytes.
    pub(crate) fn decodificar(&self, bytes: &[u8]) -> Result<Value, Ilegible> {
        let mut resto = Resto { bytes, agotado: false };
        let valor = from_avro_datum(&self.0, &mut resto, None).map_err(no_es)?;
        let distinto = |detalle: String| Err(Ilegible::con("no tiene los bytes que dice su esquema", detalle));
        match resto {
            Resto { agotado: true, .. } => distinto(format!("sus {} bytes no lo completan", bytes.len())),
            Resto { bytes: [], .. } => Ok(valor),
            Resto { bytes, .. } => distinto(format!("detrás quedan {} bytes", bytes.len())),
        }
    }

    /// Lee un registro que se escribió con este esquema. Falla también si este no lleva al `propio`.
    pub(crate) fn registro<T: Registro>(&self, bytes: &[u8], propio: &Self) -> Result<T, Ilegible> {
        let resuelto = self.decodificar(bytes)?.resolve(&propio.0);
        resuelto.and_then(|valor| from_value(&valor)).map_err(no_es)
    }

    /// Escribe un registro.
    #[cfg(test)]
    pub(crate) fn escribir(&self, registro: &impl serde::Serialize) -> Vec<u8> {
        let valor = apache_avro::to_value(registro).unwrap().resolve(&self.0).unwrap();
        apache_avro::to_avro_datum(&self.0, valor).unwrap()
    }
}

fn no_es(error: apache_avro::Error) -> Ilegible {
    Ilegible::con("no es lo que dice su esquema Avro", error)
}

/// Lo que queda por decodificar. El decodificador toma por null una unión al final de los bytes; un registro cortado
/// parecería uno con menos cosas.
struct Resto<'a> {
    bytes: &'a [u8],
    agotado: bool,
}

impl Read for Resto<'_> {
    fn read(&mut self, destino: &mut [u8]) -> io::Result<usize> {
        self.agotado |= self.bytes.len() < destino.len();
        self.bytes.read(destino)
    }
}

/// Devuelve si los bytes de un mensaje acotan el trabajo del decodificador. Un registro dentro de sí mismo se anida
/// cuanto quieran; lo que no ocupa ningún byte, un null suelto o un registro vacío, puede repetirse sin fin.
fn es_acotado<'a>(esquema: &'a Schema, dentro_de: &mut Vec<&'a Name>) -> bool {
    match esquema {
        Schema::Null => false,
        Schema::Record(registro) => {
            dentro_de.push(&registro.name);
            let acotado =
                !registro.fields.is_empty() && registro.fields.iter().all(|f| es_acotado(&f.schema, dentro_de));
            dentro_de.pop();
            acotado
        }
        Schema::Ref { name } => !dentro_de.contains(&name),
        // La rama ocupa un byte.
        Schema::Union(union) => {
            union.variants().iter().all(|rama| *rama == Schema::Null || es_acotado(rama, dentro_de))
        }
        Schema::Array(lista) => es_acotado(&lista.items, dentro_de),
        Schema::Map(mapa) => es_acotado(&mapa.types, dentro_de),
        Schema::Decimal(decimal) => es_acotado(&decimal.inner, dentro_de),
        Schema::Fixed(fijo) => (1..=MAX_FIJO).contains(&fijo.size),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::Esquema;
    use crate::contrato::comando::{ComandoCrearReserva, DatosComando};
    use crate::contrato::evento::{DatosReserva, EventoReserva};

    /// Los primeros bytes son los de la especificación del formato: rama, longitud en zigzag, texto.
    #[test]
    fn un_evento_se_escribe_como_dice_avro_y_se_vuelve_a_leer() {
        let esquema = Esquema::propio::<EventoReserva>().unwrap();
        let leer = |bytes: &[u8]| esquema.registro::<EventoReserva>(bytes, &esquema);
        let evento = EventoReserva {
            id: Some("e1".into()),
            time: Some(-1),
            data: Some(DatosReserva { estado: Some("PENDIENTE".into()), ..DatosReserva::default() }),
            ..EventoReserva::default()
        };
        let bytes = esquema.escribir(&evento);
        assert_eq!(bytes, b"\x02\x04e1\x02\x01\0\0\0\0\0\x02\0\0\x02\x12PENDIENTE\0\0");
        assert_eq!(leer(&bytes).unwrap(), evento);
        for corte in 0..bytes.len() {
            assert!(leer(&bytes[..corte]).is_err(), "{corte}");
        }
        assert!(leer(&bytes[1..]).is_err());
        assert!(leer(b"\x02\xff\xff\xff\xff\x0f").is_err());
        assert!(leer(&[bytes.as_slice(), b"\0"].concat()).is_err());
    }

    #[test]
    fn un_comando_del_tutorial_se_lee_en_la_forma_evolucionada() {
        let escrito_con = r#"{"type":"record","name":"ComandoCrearReserva","fields":[{"name":"data","type":["null",
            {"type":"record","name":"ComandoCrearReservaPayload","fields":[
            {"name":"id_usuario","type":["null","string"]}]}]}]}"#;
        let escrito_con = Esquema::leer(escrito_con.as_bytes()).unwrap();
        let propio = Esquema::propio::<ComandoCrearReserva>().unwrap();
        let comando: ComandoCrearReserva = escrito_con.registro(b"\x02\x02\x02u", &propio).unwrap();
        assert_eq!(comando.data, Some(DatosComando { id_usuario: Some("u".into()), itinerarios: None }));
    }

    fn comprobar(definicion: &str, sirve: bool) {
        assert_eq!(Esquema::leer(definicion.as_bytes()).is_ok(), sirve, "{definicion}");
    }

    #[test]
    fn solo_sirven_definiciones_que_acotan_sus_datos() {
        comprobar(crate::contrato::evento::ESQUEMA, true);
        comprobar(
            r#"{"type":"record","name":"A","fields":[{"name":"x","type":{"type":"array","items":"string"}}]}"#,
            true,
        );
        comprobar(r#"{"type":"record","name":"A","fields":[{"name":"otra","type":["null","A"]}]}"#, false);
        comprobar(r#"{"type":"array","items":"null"}"#, false);
        comprobar(r#"{"type":"array","items":{"type":"record","name":"V","fields":[]}}"#, false);
        comprobar(r#"{"type":"fixed","name":"F","size":9000000000}"#, false);
        comprobar("{", false);
        comprobar(&format!("\"{}\"", "x".repeat(70_000)), false);
    }

    #[test]
    fn un_registro_se_decodifica_de_sus_bytes_exactos() {
        let definicion = r#"{"type":"record","name":"A","fields":[
            {"name":"a","type":["null","string"]},{"name":"b","type":["null","long"]}]}"#;
        let esquema = Esquema::leer(definicion.as_bytes()).unwrap();
        let bytes = b"\x02\x04ab\x00";
        assert!(esquema.decodificar(bytes).is_ok());
        // Sin su último byte la segunda unión pasaría por null.
        for (bytes, motivo) in [
            (&bytes[..4], "sus 4 bytes no lo completan"),
            (&[bytes.as_slice(), b"xyz"].concat(), "detrás quedan 3 bytes"),
            (b"\x04", "no es lo que dice su esquema Avro"),
        ] {
            let error = esquema.decodificar(bytes).unwrap_err().to_string();
            assert!(error.contains(motivo), "{error}");
        }
    }
}
