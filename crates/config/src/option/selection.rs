//! Options that select what is captured.

use bitacora_source::FilterOptions;

use super::spec::{Effect, OptionSpec};
use crate::draft::{builtin, check_list};

const ONE_GTID_SOURCE: &str = "filtering by the server of origin is not implemented yet";
const NO_LIMIT: &str = "tables cost little memory; there is no limit on their number";

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::new(
        "database.include.list",
        Effect::List(|draft, list| {
            check_list(&FilterOptions { database_include_list: Some(list.clone()), ..FilterOptions::default() })?;
            draft.filter.database_include_list = Some(list);
            Ok(())
        }),
        "Databases to capture: regular expressions on the whole name, separated by commas. Empty: all.",
    )
    .aliases(&["database.whitelist"])
    .toml(&["databases.include"]),
    OptionSpec::new(
        "database.exclude.list",
        Effect::List(|draft, list| {
            check_list(&FilterOptions { database_exclude_list: Some(list.clone()), ..FilterOptions::default() })?;
            draft.filter.database_exclude_list = Some(list);
            Ok(())
        }),
        "Databases not to capture.",
    )
    .aliases(&["database.blacklist"])
    .toml(&["databases.exclude"]),
    OptionSpec::new(
        "table.include.list",
        Effect::List(|draft, list| {
            check_list(&FilterOptions { table_include_list: Some(list.clone()), ..FilterOptions::default() })?;
            draft.filter.table_include_list = Some(list);
            Ok(())
        }),
        "Tables to capture: regular expressions on `database.table`, separated by commas. Empty: all.",
    )
    .aliases(&["table.whitelist"])
    .toml(&["tables.include"]),
    OptionSpec::new(
        "table.exclude.list",
        Effect::List(|draft, list| {
            check_list(&FilterOptions { table_exclude_list: Some(list.clone()), ..FilterOptions::default() })?;
            draft.filter.table_exclude_list = Some(list);
            Ok(())
        }),
        "Tables not to capture.",
    )
    .aliases(&["table.blacklist"])
    .toml(&["tables.exclude"]),
    OptionSpec::new(
        "table.ignore.builtin",
        Effect::Boolean(|draft, ignore| draft.filter.builtin = builtin(ignore)),
        "Leaves out the server's own databases (mysql, performance_schema, sys, information_schema).",
    )
    .toml(&["tables.ignore_builtin"])
    .default("true"),
    OptionSpec::new(
        "column.include.list",
        Effect::List(|draft, list| draft.columns.include(&list)),
        "Columns to publish: regular expressions on `database.table.column`, separated by commas. Empty: all. A column \
        of the key stays in the key.",
    )
    .aliases(&["column.whitelist"])
    .toml(&["columns.include"]),
    OptionSpec::new(
        "column.exclude.list",
        Effect::List(|draft, list| draft.columns.exclude(&list)),
        "Columns not to publish. A column of the key stays in the key.",
    )
    .aliases(&["column.blacklist"])
    .toml(&["columns.exclude"]),
    OptionSpec::refused("message.key.columns", &[""], "keys other than the primary key are not implemented yet"),
    OptionSpec::refused(
        "skipped.operations",
        &["t", ""],
        "leaving out operations, or truncate events, is not implemented yet",
    ),
    OptionSpec::refused(
        "skip.messages.without.change",
        &["false"],
        "leaving out updates without change is not implemented yet",
    ),
    OptionSpec::refused("gtid.source.includes", &[""], ONE_GTID_SOURCE),
    OptionSpec::refused("gtid.source.excludes", &[""], ONE_GTID_SOURCE),
    OptionSpec::unused("gtid.source.filter.dml.events", "there is no filter by the server of origin"),
    OptionSpec::unused("gtid.ignore.on.recovery", "a restart goes by GTID where the server has them"),
    OptionSpec::unused("guardrail.collections.max", NO_LIMIT),
    OptionSpec::unused("guardrail.collections.limit.action", NO_LIMIT),
];
