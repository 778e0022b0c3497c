//! The mail of an event, with a Message-ID that its event decides.

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};

use crate::notificaciones::texto::Texto;

/// Builds the mail. The same event gives the same Message-ID, so that a mailbox may drop a second one.
pub(crate) fn redactado(texto: &Texto, de: &Mailbox, para: &Mailbox, id_evento: &str) -> Result<Message, String> {
    Message::builder()
        .from(de.clone())
        .to(para.clone())
        .subject(texto.asunto.clone())
        .message_id(Some(message_id(id_evento, de.email.domain())))
        .header(ContentType::TEXT_PLAIN)
        .body(texto.cuerpo.clone())
        .map_err(|error| format!("its mail cannot be written: {error}"))
}

/// Everything but letters, digits, `-` and `.` is written as `=` and two hexadecimal digits: two events never share an id.
fn message_id(id_evento: &str, domain: &str) -> String {
    let mut local = String::new();
    for byte in id_evento.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => local.push(char::from(byte)),
            _ => local.push_str(&format!("={byte:02X}")),
        }
    }
    format!("<evento.{local}@{domain}>")
}

#[cfg(test)]
mod tests {
    use super::{message_id, redactado};
    use crate::notificaciones::texto::Texto;

    #[test]
    fn el_message_id_es_propio_del_evento() {
        assert_eq!(message_id("8c79-a.1", "aeroalpes.example"), "<evento.8c79-a.1@aeroalpes.example>");
        assert_eq!(message_id("a>\r\nñ=", "x"), "<evento.a=3E=0D=0A=C3=B1=3D@x>");
    }

    #[test]
    fn un_correo_es_texto_llano_que_todo_servidor_acepta() {
        let texto =
            Texto { asunto: "AeroAlpes: recibimos el pago de su reserva ñ".into(), cuerpo: "¡Buen viaje!\n".into() };
        let mail =
            redactado(&texto, &"AeroAlpes <a@x.example>".parse().unwrap(), &"b@y.example".parse().unwrap(), "e1");
        let bytes = mail.unwrap().formatted();
        assert!(bytes.is_ascii(), "{}", String::from_utf8_lossy(&bytes));
        let text = String::from_utf8(bytes).unwrap();
        for header in [
            "From: AeroAlpes <a@x.example>\r\n",
            "To: b@y.example\r\n",
            "Message-ID: <evento.e1@x.example>\r\n",
            "Date: ",
        ] {
            assert!(text.contains(header), "{header} in {text}");
        }
    }
}
