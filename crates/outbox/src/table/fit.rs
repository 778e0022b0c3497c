//! Whether an existing table can hold what is written into it: a pure comparison.
//!
//! More is allowed than is needed: longer text, other columns as long as they have a default, a key with more columns.

use crate::ColumnType;

/// What a table must be able to hold.
pub(crate) struct Needs<'a> {
    pub(crate) columns: Vec<(&'a str, ColumnType)>,
    /// Columns with which an index must begin.
    pub(crate) key: Vec<&'a str>,
    /// The index must be unique and have these columns alone.
    pub(crate) exact_key: bool,
    /// The engine must be BLACKHOLE; otherwise it must know transactions.
    pub(crate) blackhole: bool,
}

/// A table as `information_schema` describes it.
#[derive(Debug, Default)]
pub(super) struct Existing {
    pub(super) engine: String,
    pub(super) transactional: bool,
    pub(super) columns: Vec<ExistingColumn>,
    pub(super) indexes: Vec<Index>,
}

#[derive(Debug)]
pub(super) struct ExistingColumn {
    pub(super) name: String,
    pub(super) data_type: String,
    /// In characters.
    pub(super) length: Option<u64>,
    /// Fractional digits of seconds.
    pub(super) fraction: Option<u32>,
    /// NOT NULL, and an insert must name it.
    pub(super) without_default: bool,
    pub(super) extra: String,
}

#[derive(Debug)]
pub(super) struct Index {
    name: String,
    unique: bool,
    columns: Vec<String>,
}

impl Existing {
    /// Adds the next column of an index; columns of one index follow each other.
    pub(super) fn add_index_column(&mut self, name: String, column: String, unique: bool) {
        match self.indexes.last_mut() {
            Some(index) if index.name == name => index.columns.push(column),
            _ => self.indexes.push(Index { name, unique, columns: vec![column] }),
        }
    }
}

impl Needs<'_> {
    /// Returns the first thing that does not fit, and its remedy.
    pub(super) fn check(&self, existing: &Existing) -> Result<(), (String, String)> {
        self.check_engine(existing)?;
        for (name, needed) in &self.columns {
            let Some(column) = existing.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)) else {
                let remedy = format!("add it as {}, or name another table", needed.sql());
                return Err((format!("it has no column {name}"), remedy));
            };
            if !holds(column, *needed) {
                let length = column.length.map_or(String::new(), |length| format!(" of {length}"));
                let reason =
                    format!("its column {name} is {}{length}, which cannot hold {}", column.data_type, needed.sql());
                return Err((reason, format!("change the column to {}", needed.sql())));
            }
        }
        let ours =
            |column: &&ExistingColumn| self.columns.iter().any(|(name, _)| column.name.eq_ignore_ascii_case(name));
        let filled_by_server = |extra: &str| extra.contains("auto_increment") || extra.contains("generated");
        if let Some(other) = existing
            .columns
            .iter()
            .filter(|column| !ours(column))
            .find(|column| column.without_default && !filled_by_server(&column.extra))
        {
            let reason = format!("its column {} needs a value that the layout does not give", other.name);
            return Err((reason, "add it to the layout, or give it a default".into()));
        }
        if !self.blackhole && !existing.indexes.iter().any(|index| self.is_key(index)) {
            let kind = if self.exact_key { "unique index on exactly" } else { "index that begins with" };
            return Err((format!("it has no {kind} {}", self.key.join(", ")), "make it the primary key".into()));
        }
        Ok(())
    }

    fn check_engine(&self, existing: &Existing) -> Result<(), (String, String)> {
        let is_blackhole = existing.engine.eq_ignore_ascii_case("BLACKHOLE");
        match self.blackhole {
            true if !is_blackhole => {
                let reason = format!("its engine is {:?} and the variant needs BLACKHOLE", existing.engine);
                Err((reason, "create it anew with this engine (MariaDB: INSTALL SONAME 'ha_blackhole')".into()))
            }
            false if !existing.transactional => {
                let reason = format!("its engine {:?} does not take part in transactions", existing.engine);
                Err((reason, "change the engine to InnoDB, or use the variant of the table's engine".into()))
            }
            _ => Ok(()),
        }
    }

    fn is_key(&self, index: &Index) -> bool {
        let begins = self
            .key
            .iter()
            .enumerate()
            .all(|(place, name)| index.columns.get(place).is_some_and(|column| column.eq_ignore_ascii_case(name)));
        begins && (!self.exact_key || (index.unique && index.columns.len() == self.key.len()))
    }
}

fn holds(column: &ExistingColumn, needed: ColumnType) -> bool {
    let kind = column.data_type.as_str();
    // The servers give the length of TEXT types in bytes; it counts as characters for the short ones only.
    let room = match kind {
        "char" | "varchar" => column.length.unwrap_or(0),
        "text" => 65_535,
        "mediumtext" => 16_777_215,
        "longtext" | "json" => u64::MAX,
        _ => 0,
    };

    match needed {
        ColumnType::Char(length) | ColumnType::Varchar(length) => room >= u64::from(length) && kind != "json",
        ColumnType::Text => room >= 65_535 && !matches!(kind, "char" | "varchar"),
        ColumnType::LongText | ColumnType::Json => room == u64::MAX,
        ColumnType::Varbinary(length) => kind == "varbinary" && column.length.unwrap_or(0) >= u64::from(length),
        ColumnType::LongBlob => kind == "longblob",
        ColumnType::DateTime(digits) => kind == "datetime" && column.fraction.unwrap_or(0) >= digits,
        ColumnType::Int => matches!(kind, "int" | "bigint"),
        ColumnType::BigInt => kind == "bigint",
    }
}
