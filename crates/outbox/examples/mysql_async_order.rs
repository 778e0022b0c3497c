//! An order and its event in one transaction, with mysql_async and a table that keeps no rows.
//!
//! ```sh
//! DATABASE_URL=mysql://user:password@127.0.0.1:3306/shop \
//!     cargo run -p bitacora-outbox --features mysql_async --example mysql_async_order
//! ```

use bitacora_outbox::{Event, Layout, Outbox, Variant};
use mysql_async::prelude::Queryable;
use mysql_async::{Pool, TxOpts};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = Pool::from_url(std::env::var("DATABASE_URL")?)?;
    let mut connection = pool.get_conn().await?;

    let orders = "CREATE TABLE IF NOT EXISTS orders \
        (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, total_cents BIGINT UNSIGNED NOT NULL)";
    connection.query_drop(orders).await?;
    let outbox = Outbox::new(Layout::standard("order_events").with_headers().build()?, Variant::InsertAndDelete);
    outbox.migrate(&mut connection).await?;
    drop(connection);

    let mut transaction = pool.start_transaction(TxOpts::default()).await?;
    transaction.exec_drop("INSERT INTO orders (total_cents) VALUES (?)", (4_200_u64,)).await?;
    let order_id = transaction.last_insert_id().unwrap_or_default();
    let body = serde_json::json!({"order_id": order_id, "total_cents": 4_200});
    let event = Event::json("order", order_id.to_string(), "OrderPlaced", &body)?.with_header("trace", "4bf92f35");
    let id = outbox.add(&mut transaction, &event).await?;
    transaction.commit().await?;
    println!("order {order_id} is placed, event {id} is on its way");
    pool.disconnect().await?;
    Ok(())
}
