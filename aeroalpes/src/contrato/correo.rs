//! Direcciones a las que se puede enviar un correo: la misma regla al registrar un usuario y al escribirle.
//!
//! Manda el analizador de la biblioteca que envía. Lo que ella acepta y un servidor de correo no puede recibir queda
//! fuera: más de 254 bytes (RFC 5321, 4.5.3.1.3), caracteres de control y direcciones IP en lugar de un dominio: sin
//! corchetes no lo son (RFC 5321, 4.1.3), y con ellos la biblioteca no las lee en una cabecera.

use std::net::IpAddr;

use lettre::Address;
use lettre::message::{Mailbox, Message};

/// Lo más largo que cabe en una orden de SMTP, sin los ángulos.
const MAX_BYTES: usize = 254;

/// Devuelve la dirección lista para enviar, o `None` si no se le puede enviar un correo. Un dominio con letras fuera
/// de ASCII pasa a su forma ASCII, que cualquier servidor entiende.
pub(crate) fn leer(texto: &str) -> Option<Address> {
    if texto.chars().any(char::is_control) {
        return None;
    }
    let escrita: Address = texto.parse().ok()?;
    let dominio = match escrita.domain() {
        dominio if dominio.is_ascii() => dominio.to_owned(),
        dominio => idna::domain_to_ascii(dominio).ok()?,
    };
    let es_ip = dominio.parse::<IpAddr>().is_ok();
    let direccion = Address::new(escrita.user(), dominio).ok()?;
    let cabe = AsRef::<str>::as_ref(&direccion).len() <= MAX_BYTES;
    (cabe && !es_ip && llega_al_sobre(&direccion)).then_some(direccion)
}

/// Dice si un mensaje para la dirección sale con ella en el sobre: la biblioteca la escribe en una cabecera y la
/// vuelve a leer.
fn llega_al_sobre(direccion: &Address) -> bool {
    let buzon = Mailbox::new(None, direccion.clone());
    let mensaje = Message::builder().from(buzon.clone()).to(buzon).body(String::new());
    mensaje.is_ok_and(|mensaje| mensaje.envelope().to() == [direccion.clone()])
}

#[cfg(test)]
mod tests {
    use super::leer;

    #[test]
    fn solo_pasan_direcciones_a_las_que_se_puede_escribir() {
        for (texto, lista) in [
            ("ana@example.com", "ana@example.com"),
            ("ana.maria+vuelos@correo.example", "ana.maria+vuelos@correo.example"),
            ("ana@localhost", "ana@localhost"),
            ("peña@example.com", "peña@example.com"),
            ("ana@señal.example", "ana@xn--seal-hqa.example"),
        ] {
            assert_eq!(leer(texto).map(|direccion| direccion.to_string()).as_deref(), Some(lista), "{texto}");
        }
        let (local, dominio) = ("a".repeat(65), format!("{}.example", "d".repeat(63)));
        let larga = format!("a@{}", [dominio.as_str(); 4].join("."));
        for texto in [
            "",
            "ana",
            "@example.com",
            "ana@",
            "a@b@c",
            "a b@example.com",
            "ana@-mal.example",
            "ana@mal..example",
            ".ana@example.com",
            "ana.@example.com",
            "a..b@example.com",
            "ana@exa mple.com",
            "ana@192.0.2.1",
            "ana@[192.0.2.1]",
            "ana@[::1]",
            "ana@[192.0.2.1",
            "ana@example.com\r\nBcc: otra@example.com",
            "\"a\r\nb\"@example.com",
            "ana\u{7f}@example.com",
            "\"a\u{0}b\"@example.com",
            "<ana@example.com>",
            "Ana <ana@example.com>",
            "ana@example.com, eva@example.com",
            &format!("{local}@example.com"),
            &larga,
        ] {
            assert_eq!(leer(texto), None, "{texto:?}");
        }
    }
}
