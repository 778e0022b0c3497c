//! Lee JSON que vino de fuera, de modo que cada error sea una frase con la ruta de su lugar.
//!
//! Los errores de `#[derive(Deserialize)]` están en inglés y no dan la ruta. Aquí el lector de cada cuerpo dice qué
//! miembros conoce, y los demás se rechazan.

use serde_json::Value;

use super::Problema;
use crate::api::dominio::Fecha;

/// Un valor y su ruta, como `itinerarios[0].odos`.
#[derive(Debug)]
pub(super) struct Lugar<'a> {
    valor: &'a Value,
    campo: String,
}

impl<'a> Lugar<'a> {
    /// Crea un valor en una ruta; la del propio cuerpo es la vacía.
    pub(super) fn nuevo(valor: &'a Value, campo: &str) -> Lugar<'a> {
        Lugar { valor, campo: campo.to_owned() }
    }

    /// Comprueba que es un objeto, y que no tiene más miembros que estos.
    pub(super) fn objeto(&self, conocidos: &[&str]) -> Result<(), Problema> {
        let Value::Object(miembros) = self.valor else { return Err(self.no_es("un objeto")) };
        match miembros.keys().find(|nombre| !conocidos.contains(&nombre.as_str())) {
            Some(nombre) => {
                // Un nombre de cualquier longitud vino de fuera; lo que se muestra de él se acota.
                let mostrado: String = nombre.chars().take(40).collect();
                let error = format!("Este campo no se conoce; se admiten: {}", conocidos.join(", "));
                Err(Problema::peticion(error).en(self.ruta(&mostrado)))
            }
            None => Ok(()),
        }
    }

    /// Lee un miembro que debe estar.
    pub(super) fn exigir<T>(
        &self,
        nombre: &str,
        leer: impl FnOnce(&Lugar<'a>) -> Result<T, Problema>,
    ) -> Result<T, Problema> {
        match self.valor.get(nombre) {
            Some(valor) => leer(&Lugar { valor, campo: self.ruta(nombre) }),
            None => Err(Problema::peticion("Falta este campo").en(self.ruta(nombre))),
        }
    }

    /// Lee un miembro que puede faltar; null cuenta como que falta.
    pub(super) fn opcional<T>(
        &self,
        nombre: &str,
        leer: impl FnOnce(&Lugar<'a>) -> Result<T, Problema>,
    ) -> Result<Option<T>, Problema> {
        let valor = self.valor.get(nombre).filter(|valor| !valor.is_null());
        valor.map(|valor| leer(&Lugar { valor, campo: self.ruta(nombre) })).transpose()
    }

    /// Lee los elementos de una lista, que tiene tantos.
    pub(super) fn lista<T>(
        &self,
        minimo: usize,
        maximo: usize,
        leer: impl Fn(&Lugar<'a>) -> Result<T, Problema>,
    ) -> Result<Vec<T>, Problema> {
        let Value::Array(valores) = self.valor else { return Err(self.no_es("una lista")) };
        if valores.len() < minimo {
            return Err(self.problema("La lista no puede estar vacía"));
        }
        if valores.len() > maximo {
            return Err(self.problema(format!("La lista tiene {} elementos y se admiten {maximo}", valores.len())));
        }
        let lugar = |(indice, valor)| Lugar { valor, campo: format!("{}[{indice}]", self.campo) };
        valores.iter().enumerate().map(|elemento| leer(&lugar(elemento))).collect()
    }

    /// Devuelve el texto, de 1 a `maximo` caracteres que se pueden imprimir, sin espacios alrededor.
    pub(super) fn texto(&self, maximo: usize) -> Result<String, Problema> {
        let texto = self.texto_libre(maximo)?;
        if texto.trim() != texto || texto.chars().any(char::is_control) {
            return Err(
                self.problema("El texto no puede empezar ni terminar con espacios ni tener caracteres de control")
            );
        }
        Ok(texto)
    }

    /// Devuelve el texto, de 1 a `maximo` caracteres cualesquiera.
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

    /// Devuelve el momento.
    pub(super) fn fecha(&self) -> Result<Fecha, Problema> {
        let Value::String(texto) = self.valor else { return Err(self.no_es("un texto con una fecha")) };
        Fecha::leer(texto)
            .ok_or_else(|| self.problema("La fecha debe existir y tener la forma 2022-11-22T13:10:00Z (UTC)"))
    }

    /// Crea un problema en este lugar.
    pub(super) fn problema(&self, error: impl Into<String>) -> Problema {
        Problema::peticion(error).en(&self.campo)
    }

    fn no_es(&self, esperado: &str) -> Problema {
        let hallado = match self.valor {
            Value::Null => "null",
            Value::Bool(_) => "un booleano",
            Value::Number(_) => "un número",
            Value::String(_) => "un texto",
            Value::Array(_) => "una lista",
            Value::Object(_) => "un objeto",
        };
        let sujeto = if self.campo.is_empty() { "El cuerpo debe" } else { "Debe" };
        self.problema(format!("{sujeto} ser {esperado}, no {hallado}"))
    }

    fn ruta(&self, nombre: &str) -> String {
        if self.campo.is_empty() { nombre.to_owned() } else { format!("{}.{nombre}", self.campo) }
    }
}
