//! El programa `aeroalpes`: todo está en la biblioteca, para que haya una sola.

fn main() -> std::process::ExitCode {
    aeroalpes::orden::principal()
}
