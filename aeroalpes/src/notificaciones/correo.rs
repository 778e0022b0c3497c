//! El correo de un evento, con un Message-ID que decide el evento.

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};

use crate::notificaciones::texto::Texto;

/// Redacta el correo. El mismo evento da el mismo Message-ID, para que un buzón pueda descartar el segundo.
pub(crate) fn redactado(texto: &Texto, de: &Mailbox, para: &Mailbox, id_evento: &str) -> Result<Message, String> {
    Message::builder()
        .from(de.clone())
        .to(para.clone())
        .subject(texto.asunto.clone())
        .message_id(Some(identificador(id_evento, de.email.domain())))
        .header(ContentType::TEXT_PLAIN)
        .body(texto.cuerpo.clone())
        .map_err(|error| format!("no se puede redactar su correo: {error}"))
}

/// Lo que no es letra, cifra, `-` ni `.` se escribe como `=` y dos cifras hexadecimales: dos eventos nunca comparten
/// identificador.
fn identificador(id_evento: &str, dominio: &str) -> String {
    let mut local = String::new();
    for byte in id_evento.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => local.push(char::from(byte)),
            _ => local.push_str(&format!("={byte:02X}")),
        }
    }
    format!("<evento.{local}@{dominio}>")
}

#[cfg(test)]
mod tests {
    use super::{identificador, redactado};
    use crate::notificaciones::texto::Texto;

    #[test]
    fn el_message_id_es_propio_del_evento() {
        assert_eq!(identificador("8c79-a.1", "aeroalpes.example"), "<evento.8c79-a.1@aeroalpes.example>");
        assert_eq!(identificador("a>\r\nñ=", "x"), "<evento.a=3E=0D=0A=C3=B1=3D@x>");
    }

    #[test]
    fn un_correo_es_texto_llano_que_todo_servidor_acepta() {
        let texto =
            Texto { asunto: "AeroAlpes: recibimos el pago de su reserva ñ".into(), cuerpo: "¡Buen viaje!\n".into() };
        let correo =
            redactado(&texto, &"AeroAlpes <a@x.example>".parse().unwrap(), &"b@y.example".parse().unwrap(), "e1");
        let bytes = correo.unwrap().formatted();
        assert!(bytes.is_ascii(), "{}", String::from_utf8_lossy(&bytes));
        let texto = String::from_utf8(bytes).unwrap();
        for cabecera in [
            "From: AeroAlpes <a@x.example>\r\n",
            "To: b@y.example\r\n",
            "Message-ID: <evento.e1@x.example>\r\n",
            "Date: ",
        ] {
            assert!(texto.contains(cabecera), "{cabecera} en {texto}");
        }
    }
}
