//! An event commits and rolls back with the rows of its transaction, in every variant, savepoints included.
//!
//! MySQL's manual lists a transaction that changes tables of two kinds of engine among what `enforce_gtid_consistency`
//! refuses; BLACKHOLE beside InnoDB is proven here not to be one.

use bitacora_outbox::{Event, EventId, Outbox, Payload, Variant};
use mysql_async::prelude::Queryable;
use sqlx::Connection;

use crate::{Server, binlog, standard};

const VARIANTS: [(Variant, &str); 3] =
    [(Variant::Plain, "plain"), (Variant::InsertAndDelete, "emptied"), (Variant::Blackhole, "hole")];

#[tokio::test]
async fn events_share_the_fate_of_their_transaction() {
    for server in Server::both() {
        server.client("CREATE TABLE app.pedidos (id VARCHAR(20) PRIMARY KEY)");
        if server.name == "MySQL" {
            assert_eq!(server.column("SELECT @@global.enforce_gtid_consistency"), ["ON"]);
        }
        let mut expected = Vec::new();
        for (variant, table) in VARIANTS {
            let outbox = standard(table, variant);
            outbox.migrate(&mut server.sqlx().await).await.unwrap();
            let by_sqlx = with_sqlx(&server, &outbox, &format!("{table}-s")).await;
            let by_mysql_async = with_mysql_async(&server, &outbox, &format!("{table}-m")).await;
            let mut kept = Vec::new();
            for transaction in by_sqlx.into_iter().chain(by_mysql_async) {
                let mut rows = Vec::new();
                for row in transaction {
                    match row {
                        Row::Pedido(id) => rows.push(format!("insert pedidos {id}")),
                        Row::Event(id) => {
                            rows.push(format!("insert {table} {id}"));
                            kept.push(id.to_string());
                            if variant == Variant::InsertAndDelete {
                                rows.push(format!("delete {table} {id}"));
                            }
                        }
                    }
                }
                expected.push(rows);
            }
            let stored = server.column(&format!("SELECT id FROM {table} ORDER BY id"));
            match variant {
                Variant::Plain => assert_eq!(stored, kept, "{}", server.name),
                _ => assert!(stored.is_empty(), "{} {table}: {stored:?}", server.name),
            }
        }
        assert_eq!(binlog::transactions(&server).await, expected, "{}", server.name);
    }
}

/// A row that a transaction committed.
enum Row {
    Pedido(String),
    Event(EventId),
}

fn event() -> Event {
    Event::new("pedido", "7", "PedidoCreado", Payload::Text(r#"{"total":1}"#.into()))
}

/// Returns what was committed: transactions of rows.
async fn with_sqlx(server: &Server, outbox: &Outbox, name: &str) -> Vec<Vec<Row>> {
    let mut connection = server.sqlx().await;
    let mut committed = Vec::new();
    let pedido = async |session: &mut sqlx::MySqlConnection, id: &str| {
        sqlx::query("INSERT INTO pedidos VALUES (?)").bind(id).execute(session).await.unwrap();
        Row::Pedido(id.to_owned())
    };

    let mut tx = connection.begin().await.unwrap();
    let row = pedido(&mut tx, &format!("{name}-1")).await;
    let id = outbox.add(&mut tx, &event()).await.unwrap();
    tx.commit().await.unwrap();
    committed.push(vec![row, Row::Event(id)]);

    let mut tx = connection.begin().await.unwrap();
    pedido(&mut tx, &format!("{name}-2")).await;
    outbox.add(&mut tx, &event()).await.unwrap();
    tx.rollback().await.unwrap();

    let mut tx = connection.begin().await.unwrap();
    outbox.add(&mut tx, &event()).await.unwrap();
    drop(tx);

    let mut tx = connection.begin().await.unwrap();
    let first = outbox.add(&mut tx, &event()).await.unwrap();
    let mut savepoint = tx.begin().await.unwrap();
    pedido(&mut savepoint, &format!("{name}-3")).await;
    outbox.add(&mut savepoint, &event()).await.unwrap();
    savepoint.rollback().await.unwrap();
    let row = pedido(&mut tx, &format!("{name}-4")).await;
    let mut savepoint = tx.begin().await.unwrap();
    let last = outbox.add(&mut savepoint, &event()).await.unwrap();
    savepoint.commit().await.unwrap();
    tx.commit().await.unwrap();
    committed.push(vec![Row::Event(first), row, Row::Event(last)]);

    let mut tx = connection.begin().await.unwrap();
    let alone = outbox.add(&mut *tx, &event()).await.unwrap();
    tx.commit().await.unwrap();
    committed.push(vec![Row::Event(alone)]);
    committed
}

async fn with_mysql_async(server: &Server, outbox: &Outbox, name: &str) -> Vec<Vec<Row>> {
    let mut connection = server.mysql_async().await;
    let mut committed = Vec::new();
    let pedido = async |session: &mut mysql_async::Transaction<'_>, id: &str| {
        session.exec_drop("INSERT INTO pedidos VALUES (?)", (id,)).await.unwrap();
        Row::Pedido(id.to_owned())
    };

    let mut tx = connection.start_transaction(Default::default()).await.unwrap();
    let row = pedido(&mut tx, &format!("{name}-1")).await;
    let id = outbox.add(&mut tx, &event()).await.unwrap();
    tx.commit().await.unwrap();
    committed.push(vec![row, Row::Event(id)]);

    let mut tx = connection.start_transaction(Default::default()).await.unwrap();
    pedido(&mut tx, &format!("{name}-2")).await;
    outbox.add(&mut tx, &event()).await.unwrap();
    tx.rollback().await.unwrap();

    let mut tx = connection.start_transaction(Default::default()).await.unwrap();
    outbox.add(&mut tx, &event()).await.unwrap();
    drop(tx);

    let mut tx = connection.start_transaction(Default::default()).await.unwrap();
    let first = outbox.add(&mut tx, &event()).await.unwrap();
    tx.query_drop("SAVEPOINT one").await.unwrap();
    pedido(&mut tx, &format!("{name}-3")).await;
    outbox.add(&mut tx, &event()).await.unwrap();
    tx.query_drop("ROLLBACK TO SAVEPOINT one").await.unwrap();
    let row = pedido(&mut tx, &format!("{name}-4")).await;
    tx.query_drop("SAVEPOINT two").await.unwrap();
    let last = outbox.add(&mut tx, &event()).await.unwrap();
    tx.query_drop("RELEASE SAVEPOINT two").await.unwrap();
    tx.commit().await.unwrap();
    committed.push(vec![Row::Event(first), row, Row::Event(last)]);

    // On a bare connection, with statements of the application's own.
    connection.query_drop("START TRANSACTION").await.unwrap();
    let alone = outbox.add(&mut connection, &event()).await.unwrap();
    connection.query_drop("COMMIT").await.unwrap();
    committed.push(vec![Row::Event(alone)]);
    committed
}
