//! Checks before start: can this server be captured with this account, and from this position?
//!
//! [`run`] never fails: whatever is wrong becomes a finding with one sentence and a remedy. [`run`] changes nothing on
//! the server. `bitacora doctor` prints the report; the engine refuses to start when the report holds a failure.

mod fault;
mod name;
mod options;
mod position;
mod privilege;
mod report;
mod role;
mod setting;
mod table;

pub use fault::PositionFault;
pub use name::CheckName;
pub use options::{CheckOptions, SnapshotPlanned};
pub use position::{examine_position, log_at};
pub use report::{Finding, Report, Severity};

use crate::identity::server_identity;
use crate::wire::Connection;
use crate::{Error, ErrorClass, ServerConfig};

/// Runs all checks and returns the report. After an error of the connection the remaining checks are left out.
pub async fn run(config: &ServerConfig, options: &CheckOptions) -> Report {
    let mut report = Report::default();
    let mut connection = match Connection::open(config).await {
        Ok(connection) => connection,
        Err(error) => {
            let name = match &error {
                // A server that is starting, stopping or offline answers, but refuses every login. The account is not
                // at fault.
                Error::Server { .. } if error.class() == ErrorClass::Retry => CheckName::Reachable,
                Error::Server { .. } | Error::AuthenticationPlugin { .. } => CheckName::Credentials,
                Error::Tls { .. }
                | Error::TlsNotOffered { .. }
                | Error::TlsFile { .. }
                | Error::CaWithoutTls { .. }
                | Error::UntrustedKey { .. } => CheckName::Tls,
                _ => CheckName::Reachable,
            };
            if name != CheckName::Reachable {
                report.ok(CheckName::Reachable, format!("The server at {} answers", config.address()));
            }
            report.failed(name, &error);
            return report;
        }
    };
    report.ok(CheckName::Reachable, format!("The server at {} answers", config.address()));
    match connection.latent_refusal() {
        Some(latent) => report.add(
            CheckName::Credentials,
            Severity::Warning,
            format!(
                "`{}` may log in while the server caches the account's password; after a restart of the server the \
                login fails: {latent}",
                config.user
            ),
            latent.remedy(),
        ),
        None => report.ok(CheckName::Credentials, format!("`{}` may log in", config.user)),
    }
    if let Err(error) = ask(config, &mut connection, options, &mut report).await {
        // The engine tries again after a failed `connection` check; a failed `statement` check needs a person.
        let name = if error.class() == ErrorClass::Retry { CheckName::Connection } else { CheckName::Statement };
        report.failed(name, &error);
    }
    report
}

async fn ask(
    config: &ServerConfig,
    connection: &mut Connection,
    options: &CheckOptions,
    report: &mut Report,
) -> Result<(), Error> {
    report.server = Some(server_identity(connection).await?);
    setting::version(connection, report);
    let settings = setting::Settings::read(connection).await?;
    settings.check(connection, options, report);
    let privileges = privilege::Privileges::read(connection).await?;
    privileges.check(connection, options, report);
    setting::server_id(connection, options, report).await?;
    if settings.log_bin() {
        position::check(config, connection, options, report).await?;
    }
    table::check(connection, options, &privileges, report).await
}
