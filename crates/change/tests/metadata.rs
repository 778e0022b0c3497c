//! Logs that say less than `binlog_row_metadata=FULL`: a plan is refused where values could be read wrongly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod log;

use bitacora_binlog::{Column, ColumnType, TableMap};
use bitacora_change::{
    ColumnDescription, ColumnRules, Connector, DebeziumForm, NullWithDefault, Plan, PlanError, PlanOptions,
    TableDescription, Tombstones, ValueFormat,
};
use bitacora_testkit::recorded_log::unpacked;
use log::rows_events;

fn options() -> PlanOptions {
    PlanOptions {
        connector: Connector::Mariadb,
        form: DebeziumForm::V3_6,
        topic_prefix: "srv".into(),
        value_format: ValueFormat::Json,
        tombstones: Tombstones::Emit,
        null_with_default: NullWithDefault::Replace,
        columns: ColumnRules::default(),
        topic_collision: bitacora_change::TopicCollision::Stop,
    }
}

fn described(names: &[String], type_name: &str, charset: Option<&str>) -> TableDescription {
    let columns = names.iter().map(|name| ColumnDescription {
        name: name.clone(),
        type_name: type_name.into(),
        charset: charset.map(str::to_owned),
        labels: vec!["a".into(), "b".into()],
        ..ColumnDescription::default()
    });
    TableDescription { columns: columns.collect(), ..TableDescription::default() }
}

/// MariaDB with NO_LOG, its default, does not say which numbers are UNSIGNED: 4294967295 would become -1.
#[test]
fn numbers_of_unknown_sign_are_refused_even_with_a_description() {
    let mut refused = 0;
    rows_events(&unpacked("crates/binlog/tests/golden/events/mariadb-10.11.18.gz"), |_, rows| {
        if rows.table.signedness_known {
            return;
        }
        let names: Vec<String> = (0..rows.table.columns.len()).map(|index| format!("c{index}")).collect();
        let description = described(&names, "INT UNSIGNED", Some("utf8mb4"));
        let plan = Plan::compile(rows.table, Some(&description), &options());
        assert!(matches!(plan, Err(PlanError::NamesUnknown { .. })), "{plan:?}");
        refused += 1;
    });
    assert!(refused > 0, "the log has rows without metadata");
}

#[test]
fn text_without_a_known_character_set_is_refused() {
    let column = Column { name: Some("c".into()), ..Column::new(ColumnType::VARCHAR, 40) };
    let table = TableMap::synthesize("db", "t", vec![column], Vec::new()).unwrap();
    let compile =
        |type_name, charset| Plan::compile(&table, Some(&described(&["c".into()], type_name, charset)), &options());
    assert!(compile("VARCHAR", Some("latin1")).is_ok());
    assert!(compile("VARBINARY", None).is_ok());
    assert!(compile("VARCHAR", Some("binary")).is_ok());
    assert!(matches!(compile("VARCHAR", None), Err(PlanError::NamesUnknown { .. })));
    assert!(matches!(compile("VARCHAR", Some("klingon")), Err(PlanError::UnknownCharset { .. })));
    assert!(matches!(Plan::compile(&table, None, &options()), Err(PlanError::NamesUnknown { .. })));
}
