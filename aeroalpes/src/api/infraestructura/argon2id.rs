//! Resúmenes de contraseñas.
//!
//! Argon2id con los parámetros que pone primero la «Password Storage Cheat Sheet» de OWASP (19 MiB, 2 pasadas, 1
//! carril), en forma de cadena PHC. Un resumen ocupa un núcleo decenas de milisegundos, así que lo calculan dos hilos
//! propios: una ola de registros no quita memoria ni núcleos a las reservas.
//!
//! Cada hilo pide sus 19 MiB una vez, los usa en cada resumen y los devuelve cuando descansa. Pedidos por un hilo
//! cualquiera en cada resumen, se quedaban en la arena de cada uno: el proceso crecía hasta casi un gigabyte y no
//! volvía a bajar.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{Output, PasswordHash, SaltString};
use argon2::{ARGON2ID_IDENT, Argon2, Block, Version};
use tokio::sync::oneshot;

use crate::api::aplicacion::Falla;
use crate::api::aplicacion::puerto::Resumidor;
use crate::api::dominio::Contrasena;

/// Resúmenes que se calculan a la vez.
const A_LA_VEZ: usize = 2;

/// Contraseñas que esperan su turno; las demás oyen que hay demasiadas.
const EN_ESPERA: usize = 256;

/// Lo que una contraseña espera como mucho.
const ESPERA: Duration = Duration::from_secs(10);

/// Tras tanto tiempo sin trabajo un hilo devuelve su memoria.
const DESCANSO: Duration = Duration::from_secs(5);

/// El resumidor; sus hilos terminan con la última copia.
#[derive(Debug, Clone)]
pub(crate) struct Argon2id {
    entrada: Arc<Entrada>,
}

/// Una contraseña y quien espera su resumen.
struct Trabajo {
    contrasena: Contrasena,
    respuesta: oneshot::Sender<Result<String, Falla>>,
}

#[derive(Default)]
struct Cola {
    pendientes: Mutex<Pendientes>,
    aviso: Condvar,
}

#[derive(Default)]
struct Pendientes {
    trabajos: VecDeque<Trabajo>,
    cerrada: bool,
}

/// El lado de la cola que reparte trabajo. Los hilos tienen la cola, no esto: así ven que ya nadie reparte.
struct Entrada(Arc<Cola>);

impl Argon2id {
    /// Arranca los hilos.
    pub(crate) fn nuevo() -> std::io::Result<Argon2id> {
        let cola = Arc::new(Cola::default());
        let entrada = Entrada(Arc::clone(&cola));
        for numero in 0..A_LA_VEZ {
            let cola = Arc::clone(&cola);
            std::thread::Builder::new().name(format!("argon2id-{numero}")).spawn(move || resumir_siempre(&cola))?;
        }
        Ok(Argon2id { entrada: Arc::new(entrada) })
    }
}

impl Resumidor for Argon2id {
    async fn resumir(&self, contrasena: Contrasena) -> Result<String, Falla> {
        let (respuesta, resumen) = oneshot::channel();
        self.entrada.0.anadir(Trabajo { contrasena, respuesta })?;
        match tokio::time::timeout(ESPERA, resumen).await {
            Ok(Ok(resumen)) => resumen,
            Ok(Err(cortado)) => Err(Falla::Interna(cortado.into())),
            Err(_) => Err(Falla::Saturada("una contraseña esperó demasiado su resumen")),
        }
    }
}

impl Cola {
    fn anadir(&self, trabajo: Trabajo) -> Result<(), Falla> {
        let mut pendientes = self.pendientes.lock().unwrap_or_else(PoisonError::into_inner);
        // Quien se cansó de esperar ya no ocupa un lugar.
        pendientes.trabajos.retain(|trabajo| !trabajo.respuesta.is_closed());
        if pendientes.trabajos.len() >= EN_ESPERA {
            return Err(Falla::Saturada("demasiadas contraseñas esperan su resumen"));
        }
        pendientes.trabajos.push_back(trabajo);
        self.aviso.notify_one();
        Ok(())
    }

    /// Espera el siguiente trabajo; `None` si la cola se cerró. Al descansar llama a `devolver` una vez.
    fn siguiente(&self, mut devolver: impl FnMut()) -> Option<Trabajo> {
        let mut pendientes = self.pendientes.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match pendientes.trabajos.pop_front() {
                Some(trabajo) if trabajo.respuesta.is_closed() => {}
                Some(trabajo) => return Some(trabajo),
                None if pendientes.cerrada => return None,
                None => {
                    let espera = self.aviso.wait_timeout(pendientes, DESCANSO);
                    let (guarda, plazo) = espera.unwrap_or_else(PoisonError::into_inner);
                    pendientes = guarda;
                    if plazo.timed_out() {
                        devolver();
                    }
                }
            }
        }
    }
}

impl Drop for Entrada {
    fn drop(&mut self) {
        self.0.pendientes.lock().unwrap_or_else(PoisonError::into_inner).cerrada = true;
        self.0.aviso.notify_all();
    }
}

impl fmt::Debug for Entrada {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entrada(…)")
    }
}

fn resumir_siempre(cola: &Cola) {
    let mut memoria = Vec::new();
    while let Some(Trabajo { contrasena, respuesta }) = cola.siguiente(|| memoria = Vec::new()) {
        // Quien esperaba puede haberse ido.
        let _ = respuesta.send(resumir(&contrasena, &mut memoria));
    }
}

/// Resume una contraseña con una sal nueva; la memoria se pide si falta y queda para la siguiente.
fn resumir(contrasena: &Contrasena, memoria: &mut Vec<Block>) -> Result<String, Falla> {
    let argon2 = Argon2::default();
    memoria.resize(argon2.params().block_count(), Block::default());
    let sal = SaltString::generate(&mut OsRng);
    let mut bytes = [0; 32];
    let mut sal_cruda = [0; 64];
    let calculado = sal.decode_b64(&mut sal_cruda).map_err(|error| error.to_string()).and_then(|sal| {
        argon2
            .hash_password_into_with_memory(contrasena.revelar().as_bytes(), sal, &mut bytes, &mut *memoria)
            .map_err(|error| error.to_string())
    });
    let cadena = calculado.and_then(|()| {
        let resumido = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::default().into()),
            params: argon2.params().try_into().map_err(|error: argon2::password_hash::Error| error.to_string())?,
            salt: Some(sal.as_salt()),
            hash: Some(Output::new(&bytes).map_err(|error| error.to_string())?),
        };
        Ok(resumido.to_string())
    });
    cadena.map_err(|error| Falla::Interna(error.into()))
}

#[cfg(test)]
mod tests {
    use argon2::{Argon2, PasswordHash, PasswordVerifier};

    use super::{A_LA_VEZ, Argon2id, EN_ESPERA, resumir};
    use crate::api::aplicacion::Falla;
    use crate::api::aplicacion::puerto::Resumidor;
    use crate::api::dominio::Contrasena;

    #[test]
    fn un_resumen_lleva_sal_cabe_en_la_columna_y_se_comprueba() {
        let mut memoria = Vec::new();
        let mut resumido = |texto: &str| resumir(&Contrasena::nueva(texto.to_owned()), &mut memoria).unwrap();
        let (uno, dos) = (resumido("contraseña"), resumido("contraseña"));
        assert_ne!(uno, dos);
        for resumen in [&uno, &dos] {
            assert!(resumen.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && resumen.len() < 255, "{resumen}");
            let comprobar =
                |texto: &str| Argon2::default().verify_password(texto.as_bytes(), &PasswordHash::new(resumen).unwrap());
            assert!(comprobar("contraseña").is_ok());
            assert!(comprobar("contrasena").is_err());
        }
    }

    /// Una ola de registros ocupaba un hilo y 19 MiB por cada uno; ahora esperan en una cola con límite.
    #[tokio::test]
    async fn una_ola_de_registros_espera_o_se_rechaza() {
        let resumidor = Argon2id::nuevo().unwrap();
        let espera = |numero: usize| {
            let resumidor = resumidor.clone();
            tokio::spawn(async move { resumidor.resumir(Contrasena::nueva(format!("contraseña {numero}"))).await })
        };
        // En un solo hilo de ejecución todas llegan a la cola antes de que la primera pueda oír su respuesta.
        let ola: Vec<_> = (0..EN_ESPERA + 4 * A_LA_VEZ).map(espera).collect();
        tokio::task::yield_now().await;
        let mut rechazadas = 0;
        for (numero, resumen) in ola.into_iter().enumerate() {
            if numero < A_LA_VEZ {
                assert!(resumen.await.unwrap().unwrap().starts_with("$argon2id$"));
            } else if resumen.is_finished() {
                rechazadas += usize::from(matches!(resumen.await.unwrap(), Err(Falla::Saturada(_))));
            } else {
                resumen.abort();
            }
        }
        assert!(rechazadas > 0, "no se rechazó ninguna");
    }
}
