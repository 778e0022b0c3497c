//! Reads JSON that came from outside, so that each fault is one Spanish sentence with the path of its place.
//!
//! Derived deserialization would tell the same faults in English and stop at the first level; here the reader of each body says
//! what it knows, and everything else is refused.

use serde_json::{Map, Value};

use super::Problema;
use crate::api::dominio::Fecha;

/// A value and its path, as `itinerarios[0].odos`.
#[derive(Debug)]
pub(super) struct Lugar<'a> {
    valor: &'a Value,
    campo: String,
}

/// An object of which every member is known.
#[derive(Debug)]
pub(super) struct Objeto<'a> {
    miembros: &'a Map<String, Value>,
    campo: String,
}

impl<'a> Lugar<'a> {
    /// A value at a path; the body itself has the empty one.
    pub(super) fn nuevo(valor: &'a Value, campo: &str) -> Lugar<'a> {
        Lugar { valor, campo: campo.to_owned() }
    }

    /// An object with no other members than these.
    pub(super) fn objeto(&self, conocidos: &[&str]) -> Result<Objeto<'a>, Problema> {
        let Value::Object(miembros) = self.valor else { return Err(self.no_es("un objeto")) };
        let campo = self.campo.clone();
        let objeto = Objeto { miembros, campo };
        match miembros.keys().find(|nombre| !conocidos.contains(&nombre.as_str())) {
            Some(nombre) => {
                // A name of any length came from outside; what is shown of it is bounded.
                let shown: String = nombre.chars().take(40).collect();
                let error = format!("Este campo no se conoce; se admiten: {}", conocidos.join(", "));
                Err(Problema::peticion(error).en(objeto.ruta(&shown)))
            }
            None => Ok(objeto),
        }
    }

    /// A list of so many items.
    pub(super) fn lista(&self, minimo: usize, maximo: usize) -> Result<Vec<Lugar<'a>>, Problema> {
        let Value::Array(valores) = self.valor else { return Err(self.no_es("una lista")) };
        if valores.len() < minimo {
            return Err(self.problema("La lista no puede estar vacía"));
        }
        if valores.len() > maximo {
            return Err(self.problema(format!("La lista tiene {} elementos y se admiten {maximo}", valores.len())));
        }
        let place = |(index, valor)| Lugar { valor, campo: format!("{}[{index}]", self.campo) };
        Ok(valores.iter().enumerate().map(place).collect())
    }

    /// A text of 1 to `maximo` characters that can be printed, without blanks around it.
    pub(super) fn texto(&self, maximo: usize) -> Result<String, Problema> {
        let texto = self.texto_libre(maximo)?;
        if texto.trim() != texto || texto.chars().any(char::is_control) {
            return Err(
                self.problema("El texto no puede empezar ni terminar con espacios ni tener caracteres de control")
            );
        }
        Ok(texto)
    }

    /// A text of 1 to `maximo` characters, any of them.
    pub(super) fn texto_libre(&self, maximo: usize) -> Result<String, Problema> {
        let Value::String(texto) = self.valor else { return Err(self.no_es("un texto")) };
        if texto.is_empty() {
            return Err(self.problema("El texto no puede estar vacío"));
        }
        if texto.chars().count() > maximo {
            return Err(self.problema(format!("El texto tiene más de {maximo} caracteres")));
        }
        Ok(texto.clone())
    }

    /// A moment.
    pub(super) fn fecha(&self) -> Result<Fecha, Problema> {
        let Value::String(texto) = self.valor else { return Err(self.no_es("un texto con una fecha")) };
        Fecha::leer(texto)
            .ok_or_else(|| self.problema("La fecha debe existir y tener la forma 2022-11-22T13:10:00Z (UTC)"))
    }

    /// A fault at this place.
    pub(super) fn problema(&self, error: impl Into<String>) -> Problema {
        Problema::peticion(error).en(&self.campo)
    }

    fn no_es(&self, esperado: &str) -> Problema {
        let found = match self.valor {
            Value::Null => "null",
            Value::Bool(_) => "un booleano",
            Value::Number(_) => "un número",
            Value::String(_) => "un texto",
            Value::Array(_) => "una lista",
            Value::Object(_) => "un objeto",
        };
        let subject = if self.campo.is_empty() { "El cuerpo debe" } else { "Debe" };
        self.problema(format!("{subject} ser {esperado}, no {found}"))
    }
}

impl<'a> Objeto<'a> {
    /// A member that must be there.
    pub(super) fn exigir(&self, nombre: &str) -> Result<Lugar<'a>, Problema> {
        match self.miembros.get(nombre) {
            Some(valor) => Ok(Lugar { valor, campo: self.ruta(nombre) }),
            None => Err(Problema::peticion("Falta este campo").en(self.ruta(nombre))),
        }
    }

    /// A member that may be absent; null counts as that.
    pub(super) fn opcional(&self, nombre: &str) -> Option<Lugar<'a>> {
        let valor = self.miembros.get(nombre).filter(|valor| !valor.is_null())?;
        Some(Lugar { valor, campo: self.ruta(nombre) })
    }

    fn ruta(&self, nombre: &str) -> String {
        if self.campo.is_empty() { nombre.to_owned() } else { format!("{}.{nombre}", self.campo) }
    }
}
