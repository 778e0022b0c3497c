//! An order and its event in one transaction, with sqlx.
//!
//! ```sh
//! DATABASE_URL=mysql://user:password@127.0.0.1:3306/shop \
//!     cargo run -p bitacora-outbox --features sqlx --example sqlx_order
//! ```

use bitacora_outbox::{DomainEvent, Event, Layout, Outbox, STANDARD_TABLE, Variant};
use serde::Serialize;
use sqlx::Connection;

/// What the rest of the world learns about a new order.
#[derive(Serialize)]
struct OrderPlaced {
    order_id: u64,
    total_cents: u64,
}

impl DomainEvent for OrderPlaced {
    const AGGREGATE_TYPE: &'static str = "order";
    const TYPE: &'static str = "OrderPlaced";

    fn aggregate_id(&self) -> String {
        self.order_id.to_string()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL")?;
    let mut connection = sqlx::MySqlConnection::connect(&url).await?;

    // Once at the start: the application's own table, and the outbox.
    let orders = "CREATE TABLE IF NOT EXISTS orders \
        (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, total_cents BIGINT UNSIGNED NOT NULL)";
    sqlx::query(orders).execute(&mut connection).await?;
    let outbox = Outbox::new(Layout::standard(STANDARD_TABLE).with_timestamp().build()?, Variant::Plain);
    outbox.migrate(&mut connection).await?;

    // For each order: both rows commit, or neither.
    let mut transaction = connection.begin().await?;
    let inserted =
        sqlx::query("INSERT INTO orders (total_cents) VALUES (?)").bind(4_200_u64).execute(&mut *transaction).await?;
    let placed = OrderPlaced { order_id: inserted.last_insert_id(), total_cents: 4_200 };
    let id = outbox.add(&mut transaction, &Event::of(&placed)?).await?;
    transaction.commit().await?;
    println!("order {} is placed, event {id} is on its way", placed.order_id);
    Ok(())
}
