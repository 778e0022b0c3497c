//! How often and when a message is tried again.

use std::time::Duration;

/// Tries and back-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Politica {
    /// Failed tries after which a message is a dead letter, at least 1.
    pub intentos: u32,
    /// Waiting time after the first failure; doubles with each further one.
    pub primera_espera: Duration,
    /// Longest waiting time.
    pub espera_maxima: Duration,
}

impl Default for Politica {
    /// Ten tries, from one second to a minute: about four minutes in all.
    fn default() -> Self {
        Self { intentos: 10, primera_espera: Duration::from_secs(1), espera_maxima: Duration::from_secs(60) }
    }
}

impl Politica {
    /// Returns the waiting time after so many failures in a row.
    pub fn espera(&self, fallos: u32) -> Duration {
        let factor = 1_u32.checked_shl(fallos.saturating_sub(1)).unwrap_or(u32::MAX);
        self.primera_espera.saturating_mul(factor).min(self.espera_maxima)
    }
}

#[cfg(test)]
mod tests {
    use super::Politica;

    #[test]
    fn waiting_times_double_up_to_the_longest() {
        let politica = Politica::default();
        let seconds: Vec<_> = (0..9).map(|fallos| politica.espera(fallos).as_secs()).collect();
        assert_eq!(seconds, [1, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(politica.espera(u32::MAX), politica.espera_maxima);
    }
}
