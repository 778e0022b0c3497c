//! Resúmenes de contraseñas.
//!
//! Argon2id con los parámetros que pone primero la «Password Storage Cheat Sheet» de OWASP (19 MiB, 2 pasadas, 1
//! carril), en forma de cadena PHC. Un resumen ocupa un núcleo decenas de milisegundos, así que lo calculan dos hilos
//! propios: una ola de registros no quita memoria ni núcleos a las reservas.
//!
//! Los hilos piden 19 MiB cada uno, los usan en cada resumen y los devuelven cuando descansan. Pedidos por un hilo
//! cualquiera en cada resumen, se quedaban en la arena de cada uno: el proceso crecía hasta casi un gigabyte y no
//! volvía a bajar.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{Error, Output, PasswordHash, Salt, SaltString};
use argon2::{ARGON2ID_IDENT, Argon2, Block, Params, Version};
use tokio::sync::oneshot;

use super::Falla;
use crate::api::dominio::Contrasena;

/// Resúmenes que se calculan a la vez.
const A_LA_VEZ: usize = 2;

/// Contraseñas que esperan su turno; las demás oyen que hay demasiadas.
const EN_ESPERA: usize = 256;

/// Lo que una contraseña espera como mucho.
const ESPERA: Duration = Duration::from_secs(10);

/// Tras tanto tiempo sin trabajo se devuelve la memoria.
const DESCANSO: Duration = Duration::from_secs(5);

/// El resumidor; sus hilos terminan con la última copia.
#[derive(Debug, Clone)]
pub(crate) struct Argon2id {
    entrada: SyncSender<Trabajo>,
}

/// Una contraseña y quien espera su resumen.
#[derive(Debug)]
struct Trabajo {
    contrasena: Contrasena,
    respuesta: oneshot::Sender<Result<String, Falla>>,
}

/// Lo que comparten los hilos.
struct Cola {
    /// El hilo que espera trabajo tiene el cerrojo; los demás que descansan esperan el cerrojo.
    trabajos: Mutex<Receiver<Trabajo>>,
    /// La memoria que ningún resumen usa.
    libre: Mutex<Vec<Vec<Block>>>,
}

impl Argon2id {
    /// Arranca los hilos.
    pub(crate) fn nuevo() -> std::io::Result<Argon2id> {
        let (entrada, trabajos) = sync_channel(EN_ESPERA);
        let cola = Arc::new(Cola { trabajos: Mutex::new(trabajos), libre: Mutex::default() });
        for numero in 0..A_LA_VEZ {
            let cola = Arc::clone(&cola);
            std::thread::Builder::new().name(format!("argon2id-{numero}")).spawn(move || cola.resumir_siempre())?;
        }
        Ok(Argon2id { entrada })
    }

    /// Devuelve un resumen con sal que lleva sus propios parámetros.
    pub(crate) async fn resumir(&self, contrasena: Contrasena) -> Result<String, Falla> {
        let (respuesta, resumen) = oneshot::channel();
        let lleno = |_| Falla::Saturada("demasiadas contraseñas esperan su resumen");
        self.entrada.try_send(Trabajo { contrasena, respuesta }).map_err(lleno)?;
        match tokio::time::timeout(ESPERA, resumen).await {
            Ok(Ok(resumen)) => resumen,
            Ok(Err(cortado)) => Err(Falla::Interna(cortado.into())),
            Err(_) => Err(Falla::Saturada("una contraseña esperó demasiado su resumen")),
        }
    }
}

impl Cola {
    fn resumir_siempre(&self) {
        loop {
            let trabajo = self.trabajos.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(DESCANSO);
            let libre = || self.libre.lock().unwrap_or_else(PoisonError::into_inner);
            match trabajo {
                // Quien esperaba puede haberse ido.
                Ok(trabajo) if trabajo.respuesta.is_closed() => {}
                Ok(Trabajo { contrasena, respuesta }) => {
                    let mut memoria = libre().pop().unwrap_or_default();
                    let resumen = resumir(&contrasena, &mut memoria).map_err(|error| Falla::Interna(error.into()));
                    let _ = respuesta.send(resumen);
                    libre().push(memoria);
                }
                Err(RecvTimeoutError::Timeout) => libre().clear(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

/// Resume una contraseña con una sal nueva; la memoria se pide si falta y queda para la siguiente.
fn resumir(contrasena: &Contrasena, memoria: &mut Vec<Block>) -> Result<String, Error> {
    let argon2 = Argon2::default();
    memoria.resize(argon2.params().block_count(), Block::default());
    let sal = SaltString::generate(&mut OsRng);
    let mut sal_cruda = [0; Salt::MAX_LENGTH];
    let sal_cruda = sal.decode_b64(&mut sal_cruda)?;
    let mut bytes = [0; Params::DEFAULT_OUTPUT_LEN];
    argon2.hash_password_into_with_memory(contrasena.revelar().as_bytes(), sal_cruda, &mut bytes, memoria)?;
    let resumido = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::default().into()),
        params: argon2.params().try_into()?,
        salt: Some(sal.as_salt()),
        hash: Some(Output::new(&bytes)?),
    };
    Ok(resumido.to_string())
}

#[cfg(test)]
mod tests {
    use argon2::{Argon2, PasswordHash, PasswordVerifier};

    use super::{A_LA_VEZ, Argon2id, EN_ESPERA, resumir};
    use crate::api::dominio::Contrasena;
    use crate::api::infraestructura::Falla;

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
