//! A consumer that books each order once, however often its event is delivered.
//!
//! ```sh
//! DATABASE_URL=mysql://user:password@127.0.0.1:3306/shop \
//!     cargo run -p bitacora-outbox --features sqlx --example inbox_consumer
//! ```

use bitacora_outbox::{Error, EventId, Inbox, Recorded};
use sqlx::Connection;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut connection = sqlx::MySqlConnection::connect(&std::env::var("DATABASE_URL")?).await?;
    let bookings = "CREATE TABLE IF NOT EXISTS bookings (event_id CHAR(36) NOT NULL, cents BIGINT NOT NULL)";
    sqlx::query(bookings).execute(&mut connection).await?;
    let inbox = Inbox::new("inbox")?;
    inbox.migrate(&mut connection).await?;

    // In the place of a broker: one event, delivered three times.
    let event_id = EventId::generate().to_string();
    for delivery in 1..=3 {
        let booked = handle(&mut connection, &inbox, &event_id, 4_200).await?;
        println!("delivery {delivery} of {event_id}: {}", if booked { "booked" } else { "already booked" });
        // Here the event is acknowledged to the broker, after the commit and never before.
    }
    Ok(())
}

/// Books an event and tells whether it was new.
async fn handle(
    connection: &mut sqlx::MySqlConnection,
    inbox: &Inbox,
    event_id: &str,
    cents: i64,
) -> Result<bool, Failure> {
    loop {
        let mut transaction = connection.begin().await?;
        match inbox.record(&mut transaction, "bookkeeping", event_id).await {
            Ok(Recorded::New) => {
                let booking = sqlx::query("INSERT INTO bookings VALUES (?, ?)").bind(event_id).bind(cents);
                booking.execute(&mut *transaction).await?;
                transaction.commit().await?;
                return Ok(true);
            }
            Ok(Recorded::Duplicate) => return Ok(false), // dropped without a commit: there is nothing to keep
            Err(error) if Error::is_transient(&error) => transaction.rollback().await?, // another delivery won: again
            Err(error) => return Err(error.into()),
        }
    }
}
