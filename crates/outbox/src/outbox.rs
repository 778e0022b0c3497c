//! The outbox of an application: the statements that add an event, and the table that they need.

use std::sync::Arc;

use crate::layout::{Layout, quoted};
use crate::table::{self, Needs};
use crate::{Error, Event, EventId, Session, Value, Variant};

/// A statement with `?` placeholders and the values for them, for callers that run statements on their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The statement; the same text for every event, so that prepared statements are found again.
    pub sql: Arc<str>,
    /// One value for each placeholder, in order.
    pub values: Vec<Value>,
}

/// Adds events to a table of a [`Layout`] in a [`Variant`]. Cheap to share: it holds texts, no connection.
#[derive(Debug, Clone)]
pub struct Outbox {
    layout: Layout,
    variant: Variant,
    insert: Arc<str>,
    delete: Arc<str>,
}

impl Outbox {
    /// Prepares the statements.
    pub fn new(layout: Layout, variant: Variant) -> Outbox {
        let table = layout.table.quoted();
        let names: Vec<String> = layout.columns.iter().map(|column| quoted(&column.name)).collect();
        let marks = vec!["?"; names.len()].join(", ");
        let insert = format!("INSERT INTO {table} ({}) VALUES ({marks})", names.join(", ")).into();
        let id = names.get(layout.id_column).map_or("", String::as_str);
        let delete = format!("DELETE FROM {table} WHERE {id} = ?").into();
        Outbox { layout, variant, insert, delete }
    }

    /// Returns the layout.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns the variant.
    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// Returns what adds an event, to be run in this order in one transaction.
    ///
    /// # Errors
    /// [`Error::Event`] when the event does not fit the layout.
    pub fn statements(&self, event: &Event) -> Result<Vec<Statement>, Error> {
        let mut statements = vec![Statement { sql: self.insert.clone(), values: self.layout.values(event)? }];
        if self.variant == Variant::InsertAndDelete {
            let id = Value::Text(event.id.to_string());
            statements.push(Statement { sql: self.delete.clone(), values: vec![id] });
        }
        Ok(statements)
    }

    /// Adds an event on the caller's session and returns its id. The caller's transaction decides: what it commits is
    /// published, what it rolls back, also to a savepoint, never was. Without a transaction the event stands alone.
    ///
    /// # Errors
    /// [`Error::Event`] when the event does not fit the layout and [`Error::Database`] when the server refuses it.
    pub async fn add<S: Session>(&self, session: &mut S, event: &Event) -> Result<EventId, Error> {
        for statement in self.statements(event)? {
            session.execute(&statement.sql, &statement.values).await?;
        }
        Ok(event.id)
    }

    /// Returns the CREATE TABLE of layout and variant, for those who keep migrations as files. It may be run again.
    pub fn create_table(&self) -> String {
        let mut lines: Vec<String> = self.layout.columns.iter().map(|column| column.definition()).collect();
        if let Some(id) = self.layout.id_column() {
            lines.push(format!("PRIMARY KEY ({})", quoted(&id.name)));
        }
        let engine = match self.variant {
            Variant::Blackhole => "BLACKHOLE",
            Variant::Plain | Variant::InsertAndDelete => "InnoDB",
        };
        table::create(&self.layout.table, &lines, engine)
    }

    /// Creates the table if it is absent and verifies it. May be run at every start and by many processes at once.
    ///
    /// CREATE TABLE ends an open transaction: use a session of its own.
    ///
    /// # Errors
    /// As [`Outbox::verify`]; [`Error::Database`] when the account may not create tables or the engine is absent.
    pub async fn migrate<S: Session>(&self, session: &mut S) -> Result<(), Error> {
        if !table::exists(session, &self.layout.table).await? {
            session.execute(&self.create_table(), &[]).await?;
        }
        self.verify(session).await
    }

    /// Verifies, without a change, that the table can hold the layout's rows in this variant and, for the variants
    /// whose rows live in the binlog alone, that the server writes them there.
    ///
    /// # Errors
    /// [`Error::Table`] with the first thing that does not fit, [`Error::Server`] for a setting that would lose events.
    pub async fn verify<S: Session>(&self, session: &mut S) -> Result<(), Error> {
        let columns = self.layout.columns.iter().map(|column| (column.name.as_str(), column.column_type)).collect();
        let id = self.layout.id_column().map_or("", |column| column.name.as_str());
        let needs = Needs { columns, key: vec![id], blackhole: self.variant == Variant::Blackhole, exact_key: false };
        table::verify(session, &self.layout.table, &needs).await?;
        match self.variant {
            Variant::Plain => Ok(()),
            Variant::InsertAndDelete | Variant::Blackhole => table::verify_binlog(session, &self.layout.table).await,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Payload;

    fn outbox(variant: Variant) -> Outbox {
        Outbox::new(Layout::standard("out`box").in_database("app").build().unwrap(), variant)
    }

    #[test]
    fn an_event_is_one_insert_and_with_the_second_variant_a_delete() {
        let event = Event::new("pedido", "7", "PedidoCreado", Payload::Text("{}".into()));
        for (variant, count) in [(Variant::Plain, 1), (Variant::InsertAndDelete, 2), (Variant::Blackhole, 1)] {
            let statements = outbox(variant).statements(&event).unwrap();
            let expected = "INSERT INTO `app`.`out``box` (`id`, `aggregatetype`, `aggregateid`, `type`, `payload`) \
                            VALUES (?, ?, ?, ?, ?)";
            assert_eq!(&*statements.first().unwrap().sql, expected);
            assert_eq!(statements.len(), count);
            if let Some(delete) = statements.get(1) {
                assert_eq!(&*delete.sql, "DELETE FROM `app`.`out``box` WHERE `id` = ?");
                assert_eq!(delete.values, [event.id().to_string().into()]);
            }
        }
    }

    #[test]
    fn the_table_is_written_out() {
        assert_eq!(
            outbox(Variant::Blackhole).create_table(),
            "CREATE TABLE IF NOT EXISTS `app`.`out``box` (\n  `id` CHAR(36) NOT NULL,\n  \
             `aggregatetype` VARCHAR(255) NOT NULL,\n  \
             `aggregateid` VARCHAR(255) NOT NULL,\n  `type` VARCHAR(255) NOT NULL,\n  `payload` JSON NULL,\n  \
             PRIMARY KEY (`id`)\n) ENGINE = BLACKHOLE DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        );
        assert!(outbox(Variant::InsertAndDelete).create_table().contains("ENGINE = InnoDB"));
    }
}
