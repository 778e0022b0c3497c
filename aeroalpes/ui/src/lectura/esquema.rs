//! Schemas of the event topic, as its registry has them.

use std::collections::HashMap;
use std::sync::Arc;

use apache_avro::Schema;
use apache_avro::schema::Name;
use bitacora_pulsar::Client;
use bitacora_pulsar::wire::TopicName;
use bitacora_pulsar::wire::proto::SchemaType;

use super::evento::{Ilegible, SinEsquema};

/// Versions that are kept; above it the registry is asked again.
const MAX_VERSIONES: usize = 64;

/// Longest definition.
const MAX_DEFINICION: usize = 64 * 1024;

/// What Avro may allocate for one announced length.
const MAX_LONGITUD: usize = 64 * 1024;

/// Schemas by version.
#[derive(Debug)]
pub struct Esquemas {
    client: Client,
    tema: TopicName,
    conocidos: HashMap<Vec<u8>, Arc<Schema>>,
}

impl Esquemas {
    /// Creates it for a topic, empty.
    pub fn de(client: Client, tema: TopicName) -> Self {
        Self { client, tema: tema.without_partition(), conocidos: HashMap::new() }
    }

    /// Returns the schema of that version, the newest one for a message without version.
    ///
    /// # Errors
    /// The broker cannot be asked now, or the schema is of no use.
    pub async fn version(&mut self, version: Option<&bytes::Bytes>) -> Result<Arc<Schema>, SinEsquema> {
        if let Some(conocido) = version.and_then(|version| self.conocidos.get(version.as_ref())) {
            return Ok(Arc::clone(conocido));
        }
        let registrado = match self.client.schema(&self.tema, version.cloned()).await {
            Ok(Some(registrado)) => registrado.schema,
            Ok(None) => return Err(Ilegible::nuevo("el registro no tiene su esquema").into()),
            Err(error) if error.is_retryable() => return Err(SinEsquema::Ausente(error)),
            Err(error) => return Err(Ilegible::con("el registro no entrega su esquema", &error).into()),
        };
        if registrado.schema_type != SchemaType::Avro as i32 {
            return Err(Ilegible::nuevo("su esquema no es Avro").into());
        }
        let esquema = Arc::new(leer(&registrado.schema_data)?);
        if let Some(version) = version {
            if self.conocidos.len() >= MAX_VERSIONES {
                self.conocidos.clear();
            }
            self.conocidos.insert(version.to_vec(), Arc::clone(&esquema));
        }
        Ok(esquema)
    }
}

/// Keeps a length of a few bytes from making an allocation of half a gigabyte, which is Avro's own limit.
pub fn limitar_memoria() {
    apache_avro::util::max_allocation_bytes(MAX_LONGITUD);
}

/// Reads a definition whose data can be decoded with bounded stack and memory.
fn leer(definicion: &[u8]) -> Result<Schema, Ilegible> {
    if definicion.len() > MAX_DEFINICION {
        return Err(Ilegible::nuevo("su esquema es demasiado largo"));
    }
    let texto = str::from_utf8(definicion).map_err(|error| Ilegible::con("su esquema no es texto", &error))?;
    let esquema = Schema::parse_str(texto).map_err(|error| Ilegible::con("su esquema no es Avro", &error))?;
    if !es_acotado(&esquema, &mut Vec::new()) {
        return Err(Ilegible::nuevo("su esquema no acota lo que ocupa un mensaje"));
    }
    Ok(esquema)
}

/// Tells whether the decoder's work is bounded by the bytes of a message. A record inside itself nests as deep as they like;
/// whatever takes no byte, a bare null or an empty record, may come any number of times; a fixed value is allocated at once.
fn es_acotado<'a>(esquema: &'a Schema, dentro_de: &mut Vec<&'a Name>) -> bool {
    match esquema {
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
        Schema::Fixed(fixed) => (1..=MAX_LONGITUD).contains(&fixed.size),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::leer;

    fn check(definicion: &str, sirve: bool) {
        assert_eq!(leer(definicion.as_bytes()).is_ok(), sirve, "{definicion}");
    }

    #[test]
    fn only_definitions_that_bound_their_data_are_used() {
        check(aeroalpes_contrato::evento::ESQUEMA, true);
        check(r#"{"type":"record","name":"A","fields":[{"name":"x","type":{"type":"array","items":"string"}}]}"#, true);
        check(r#"{"type":"record","name":"A","fields":[{"name":"otra","type":["null","A"]}]}"#, false);
        check(r#"{"type":"array","items":"null"}"#, false);
        check(r#"{"type":"array","items":{"type":"record","name":"V","fields":[]}}"#, false);
        check(r#"{"type":"fixed","name":"F","size":9000000000}"#, false);
        check("{", false);
        check(&format!("\"{}\"", "x".repeat(70_000)), false);
    }
}
