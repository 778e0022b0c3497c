//! Warnings about the rules for columns before the first row is read: entries that match nothing, and statements in
//! events that show what a mask hides.

use bitacora_source::ddl::Catalog;

use super::life::Life;

impl Life {
    /// Warns of entries that match no column of a captured table.
    pub(super) fn check_columns(&self, catalog: &Catalog) {
        let rules = &self.config.columns;
        if rules.is_empty() {
            return;
        }
        let captured =
            catalog.tables().filter(|table| self.config.filter.table(&table.name.database, &table.name.table));
        let columns: Vec<String> = captured
            .flat_map(|table| {
                let of_table = |name: &str| format!("{}.{}.{name}", table.name.database, table.name.table);
                table.columns.iter().map(move |column| of_table(&column.name))
            })
            .collect();
        for (rule, entry) in rules.unmatched(&columns) {
            self.notices.warn(&format!(
                "columns.{rule}: `{entry}` matches no column of a captured table; if it is misspelt, the column that \
                is meant is published as if there were no such rule"
            ));
        }
        if self.config.include_query {
            self.notices.warn(
                "include.query publishes the statements with all their values, those of masked columns and of columns \
                that are left out too",
            );
        }
    }
}
