//! Avro schemas as a topic's registry has them: parsed once, and only those whose data can be decoded with bounded stack and memory.

use std::io::{self, Read};

use apache_avro::schema::Name;
use apache_avro::types::Value;
use apache_avro::{Schema, from_avro_datum};
use thiserror::Error;

/// Longest definition, in bytes.
const MAX_DEFINICION: usize = 64 * 1024;

/// Largest fixed value of a definition, in bytes: it is allocated at once.
const MAX_FIJO: usize = 64 * 1024;

/// Bounds what the decoder may allocate for one announced length, which Avro itself bounds by half a gigabyte. It holds for the
/// whole process, and the first to say it is heard.
pub fn limitar_memoria(bytes: usize) {
    apache_avro::util::max_allocation_bytes(bytes);
}

/// The schema that a message was written with.
#[derive(Debug)]
pub struct Esquema(Schema);

/// A definition that is of no use.
#[derive(Debug, Error)]
pub enum EsquemaErroneo {
    /// It is longer than any that is needed.
    #[error("its schema is longer than {MAX_DEFINICION} bytes")]
    Largo,
    /// It is not text.
    #[error("its schema is no text: {0}")]
    Texto(#[from] std::str::Utf8Error),
    /// It is not Avro.
    #[error("its schema is no Avro: {0}")]
    Avro(#[from] Box<apache_avro::Error>),
    /// A few bytes could make the decoder work or allocate without end.
    #[error("its schema does not bound what a message takes: no recursion, no items without bytes")]
    SinCota,
}

/// Bytes that are not exactly one record.
#[derive(Debug, Error)]
pub enum DatoErroneo {
    /// They are not what the schema says.
    #[error("it is not what its Avro schema says: {0}")]
    Avro(#[from] Box<apache_avro::Error>),
    /// They end before the record does.
    #[error("its {0} bytes are not the whole of it")]
    Cortado(usize),
    /// They go on behind the record.
    #[error("{0} bytes stand behind it")]
    Sobra(usize),
}

impl Esquema {
    /// Reads a definition.
    ///
    /// # Errors
    /// It is none that may be used.
    pub fn leer(definicion: &[u8]) -> Result<Esquema, EsquemaErroneo> {
        if definicion.len() > MAX_DEFINICION {
            return Err(EsquemaErroneo::Largo);
        }
        let schema = Schema::parse_str(std::str::from_utf8(definicion)?).map_err(Box::new)?;
        if es_acotado(&schema, &mut Vec::new()) { Ok(Esquema(schema)) } else { Err(EsquemaErroneo::SinCota) }
    }

    /// Decodes one record.
    ///
    /// # Errors
    /// The bytes are not exactly one record of the schema.
    pub fn decodificar(&self, bytes: &[u8]) -> Result<Value, DatoErroneo> {
        let mut resto = Resto { bytes, agotado: false };
        let valor = from_avro_datum(&self.0, &mut resto, None).map_err(Box::new)?;
        match resto {
            Resto { agotado: true, .. } => Err(DatoErroneo::Cortado(bytes.len())),
            Resto { bytes: [], .. } => Ok(valor),
            Resto { bytes, .. } => Err(DatoErroneo::Sobra(bytes.len())),
        }
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.0
    }
}

/// What is left to decode. The decoder takes a union at the end of the bytes for a null; a record that was cut off would
/// look like one with less in it.
struct Resto<'a> {
    bytes: &'a [u8],
    agotado: bool,
}

impl Read for Resto<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.agotado |= self.bytes.len() < buffer.len();
        self.bytes.read(buffer)
    }
}

/// Tells whether the decoder's work is bounded by the bytes of a message. A record inside itself nests as deep as they like;
/// whatever takes no byte, a bare null or an empty record, may come any number of times.
fn es_acotado<'a>(schema: &'a Schema, dentro_de: &mut Vec<&'a Name>) -> bool {
    match schema {
        Schema::Null => false,
        Schema::Record(record) => {
            dentro_de.push(&record.name);
            let acotado = !record.fields.is_empty() && record.fields.iter().all(|f| es_acotado(&f.schema, dentro_de));
            dentro_de.pop();
            acotado
        }
        Schema::Ref { name } => !dentro_de.contains(&name),
        // The branch takes a byte.
        Schema::Union(union) => {
            union.variants().iter().all(|variant| *variant == Schema::Null || es_acotado(variant, dentro_de))
        }
        Schema::Array(array) => es_acotado(&array.items, dentro_de),
        Schema::Map(map) => es_acotado(&map.types, dentro_de),
        Schema::Decimal(decimal) => es_acotado(&decimal.inner, dentro_de),
        Schema::Fixed(fixed) => (1..=MAX_FIJO).contains(&fixed.size),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{DatoErroneo, Esquema};

    fn check(definicion: &str, sirve: bool) {
        assert_eq!(Esquema::leer(definicion.as_bytes()).is_ok(), sirve, "{definicion}");
    }

    #[test]
    fn only_definitions_that_bound_their_data_are_used() {
        check(crate::contrato::evento::ESQUEMA, true);
        check(r#"{"type":"record","name":"A","fields":[{"name":"x","type":{"type":"array","items":"string"}}]}"#, true);
        check(r#"{"type":"record","name":"A","fields":[{"name":"otra","type":["null","A"]}]}"#, false);
        check(r#"{"type":"array","items":"null"}"#, false);
        check(r#"{"type":"array","items":{"type":"record","name":"V","fields":[]}}"#, false);
        check(r#"{"type":"fixed","name":"F","size":9000000000}"#, false);
        check("{", false);
        check(&format!("\"{}\"", "x".repeat(70_000)), false);
    }

    #[test]
    fn a_record_is_decoded_from_exactly_its_bytes() {
        let schema = r#"{"type":"record","name":"A","fields":[{"name":"a","type":["null","string"]},{"name":"b","type":["null","long"]}]}"#;
        let schema = Esquema::leer(schema.as_bytes()).unwrap();
        let bytes = b"\x02\x04ab\x00";
        assert!(schema.decodificar(bytes).is_ok());
        // Without its last byte the second union would pass for a null.
        assert!(matches!(schema.decodificar(&bytes[..4]), Err(DatoErroneo::Cortado(4))));
        assert!(matches!(schema.decodificar(&[bytes.as_slice(), b"xyz"].concat()), Err(DatoErroneo::Sobra(3))));
        assert!(matches!(schema.decodificar(b"\x04"), Err(DatoErroneo::Avro(_))));
    }
}
