//! Esquemas Avro como los tiene el registro de un tema: se analizan una vez, y solo sirven los que dejan decodificar
//! sus datos con pila y memoria acotadas.

use std::io::{self, Read};

use apache_avro::schema::Name;
use apache_avro::types::Value;
use apache_avro::{Schema, from_avro_datum};
use thiserror::Error;

/// La definición más larga, en bytes.
const MAX_DEFINICION: usize = 64 * 1024;

/// El mayor valor fijo de una definición, en bytes: se pide de una vez.
const MAX_FIJO: usize = 64 * 1024;

/// Acota lo que el decodificador puede pedir por una longitud anunciada; Avro por sí solo admite medio gigabyte. Vale
/// para todo el proceso, y manda el primero que lo dice.
pub fn limitar_memoria(bytes: usize) {
    apache_avro::util::max_allocation_bytes(bytes);
}

/// El esquema con el que se escribió un mensaje.
#[derive(Debug)]
pub struct Esquema(Schema);

/// Una definición que no sirve.
#[derive(Debug, Error)]
pub enum EsquemaErroneo {
    /// Es más larga de lo que hace falta.
    #[error("su esquema tiene más de {MAX_DEFINICION} bytes")]
    Largo,
    /// No es texto.
    #[error("su esquema no es texto: {0}")]
    Texto(#[from] std::str::Utf8Error),
    /// No es Avro.
    #[error("su esquema no es Avro: {0}")]
    Avro(#[from] Box<apache_avro::Error>),
    /// Unos pocos bytes harían trabajar o pedir memoria sin fin al decodificador.
    #[error("su esquema no acota lo que ocupa un mensaje: sin recursión, sin elementos de cero bytes")]
    SinCota,
}

/// Unos bytes no son exactamente un registro.
#[derive(Debug, Error)]
pub enum DatoErroneo {
    /// No son lo que dice el esquema.
    #[error("no es lo que dice su esquema Avro: {0}")]
    Avro(#[from] Box<apache_avro::Error>),
    /// Terminan antes que el registro.
    #[error("sus {0} bytes no lo completan")]
    Cortado(usize),
    /// Siguen detrás del registro.
    #[error("detrás quedan {0} bytes")]
    Sobra(usize),
}

impl Esquema {
    /// Lee una definición.
    ///
    /// # Errors
    /// No es una que sirva.
    pub fn leer(definicion: &[u8]) -> Result<Esquema, EsquemaErroneo> {
        if definicion.len() > MAX_DEFINICION {
            return Err(EsquemaErroneo::Largo);
        }
        let esquema = Schema::parse_str(std::str::from_utf8(definicion)?).map_err(Box::new)?;
        if es_acotado(&esquema, &mut Vec::new()) { Ok(Esquema(esquema)) } else { Err(EsquemaErroneo::SinCota) }
    }

    /// Decodifica un registro.
    ///
    /// # Errors
    /// Los bytes no son exactamente un registro del esquema.
    pub fn decodificar(&self, bytes: &[u8]) -> Result<Value, DatoErroneo> {
        let mut resto = Resto { bytes, agotado: false };
        let valor = from_avro_datum(&self.0, &mut resto, None).map_err(Box::new)?;
        match resto {
            Resto { agotado: true, .. } => Err(DatoErroneo::Cortado(bytes.len())),
            Resto { bytes: [], .. } => Ok(valor),
            Resto { bytes, .. } => Err(DatoErroneo::Sobra(bytes.len())),
        }
    }

    pub(super) fn avro(&self) -> &Schema {
        &self.0
    }
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
    use super::{DatoErroneo, Esquema};

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
        assert!(matches!(esquema.decodificar(&bytes[..4]), Err(DatoErroneo::Cortado(4))));
        assert!(matches!(esquema.decodificar(&[bytes.as_slice(), b"xyz"].concat()), Err(DatoErroneo::Sobra(3))));
        assert!(matches!(esquema.decodificar(b"\x04"), Err(DatoErroneo::Avro(_))));
    }
}
