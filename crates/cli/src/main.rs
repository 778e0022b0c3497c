//! The `bitacora` command.

mod arguments;
mod command;
mod failure;
mod metrics;
mod progress;
mod tool;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command, Source};
use failure::Failure;

fn main() -> ExitCode {
    bitacora_data_folder::end_at_panic(|fault| {
        eprintln!(
            "bitacora: a fault of this program ended it ({fault}); start it again, and report this line if it happens \
            again"
        );
    });
    let arguments = Arguments::parse_from(tool::arguments(std::env::args_os()));
    start_log();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::report(&Failure::new(format!("the runtime cannot be started: {error}"))),
    };
    let outcome = runtime.block_on(run(arguments));
    // Threads that still wait for a peer must not delay the end.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error),
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Broker(arguments) => command::broker::run(arguments).await,
        Command::Source(Source::Localrun(arguments)) => command::source::run(arguments).await,
        Command::Up(arguments) => command::up::run(arguments).await,
        Command::Doctor(arguments) => command::doctor::run(arguments).await,
        Command::Client(arguments) => command::client::run(arguments).await,
        Command::Topics(arguments) => command::topics::run(arguments).await,
        Command::Backup(arguments) => command::backup::run(arguments).await,
        Command::Repair(arguments) => command::backup::repair(arguments).await,
    }
}

/// Starts the log on standard error. `RUST_LOG` chooses what is logged; by default warnings, and information of this
/// program's own crates.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        tracing_subscriber::EnvFilter::new(
            "warn,bitacora=info,bitacora_engine=info,bitacora_broker=info,bitacora_data_folder=info",
        )
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}
