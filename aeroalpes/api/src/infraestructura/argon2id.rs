//! Password hashes.
//!
//! Argon2id with the parameters that OWASP's "Password Storage Cheat Sheet" gives first (19 MiB, 2 passes, 1 lane), in the PHC
//! string form. A hash takes tens of milliseconds of a core, so it runs on a thread of its own, and only a few at a time:
//! otherwise a wave of registrations would take memory and the cores from the bookings.

use std::sync::Arc;

use argon2::password_hash::SaltString;
use argon2::password_hash::rand_core::OsRng;
use argon2::{Argon2, PasswordHasher};
use tokio::sync::Semaphore;

use crate::aplicacion::Falla;
use crate::aplicacion::puerto::Resumidor;
use crate::dominio::Contrasena;

/// Hashes that are computed at a time.
const A_LA_VEZ: usize = 2;

/// The hasher.
#[derive(Debug, Clone)]
pub struct Argon2id {
    turnos: Arc<Semaphore>,
}

impl Argon2id {
    /// Creates it.
    pub fn nuevo() -> Argon2id {
        Argon2id { turnos: Arc::new(Semaphore::new(A_LA_VEZ)) }
    }
}

impl Resumidor for Argon2id {
    async fn resumir(&self, contrasena: Contrasena) -> Result<String, Falla> {
        let turno = self.turnos.clone().acquire_owned().await.map_err(|error| Falla::Interna(error.into()))?;
        let hashed = tokio::task::spawn_blocking(move || {
            let _turno = turno;
            resumir(&contrasena)
        });
        hashed.await.map_err(|error| Falla::Interna(error.into()))?
    }
}

fn resumir(contrasena: &Contrasena) -> Result<String, Falla> {
    let salt = SaltString::generate(&mut OsRng);
    match Argon2::default().hash_password(contrasena.revelar().as_bytes(), &salt) {
        Ok(hash) => Ok(hash.to_string()),
        Err(error) => Err(Falla::Interna(error.to_string().into())),
    }
}

#[cfg(test)]
mod tests {
    use argon2::{Argon2, PasswordHash, PasswordVerifier};

    use super::resumir;
    use crate::dominio::Contrasena;

    #[test]
    fn a_hash_is_salted_fits_the_column_and_verifies() {
        let hash = |text: &str| resumir(&Contrasena::nueva(text.to_owned())).unwrap();
        let (one, two) = (hash("contraseña"), hash("contraseña"));
        assert_ne!(one, two);
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && one.len() < 255, "{one}");
        let verify = |text: &str| Argon2::default().verify_password(text.as_bytes(), &PasswordHash::new(&one).unwrap());
        assert!(verify("contraseña").is_ok());
        assert!(verify("contrasena").is_err());
    }
}
