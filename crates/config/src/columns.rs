//! Makes masks and truncations of columns from Debezium's keys and from the tables of our own file.
//!
//! Debezium puts the number of characters, or the algorithm and the salt, into the key itself. A salt is a secret, so
//! no message shows it, not even as part of a key.

use bitacora_change::{
    ALGORITHMS, ColumnRules, ColumnSelection, HashVersion, Mask, NameList, PatternError, PatternList, SaltedHash,
};

use super::raw::Fields;

/// Most asterisks of a mask. More would only make every event larger.
const ASTERISKS_MAX: u32 = 1_024;

/// Debezium is written in Java, which counts characters in a signed 32-bit number.
const CHARACTERS_MAX: u32 = i32::MAX as u32;

const SALT: &str = ".with.salt.";

const MASK_KEYS: &str = "write column.mask.with.<characters>.chars, column.mask.hash.<algorithm>.with.salt.<salt>, or \
    column.mask.hash.v2.<algorithm>.with.salt.<salt>";
const MASK_TABLE: &str = "write { columns = \"database.table.column\", chars = 8 }, or { columns = \"…\", hash = \
    \"SHA-256\", salt = \"…\" }";
const TRUNCATE_KEY: &str = "write column.truncate.to.<characters>.chars";
const TRUNCATE_TABLE: &str = "write { columns = \"database.table.column\", chars = 20 }";

/// Collects the options for columns.
#[derive(Debug, Default)]
pub(super) struct ColumnDraft {
    include: Option<PatternList>,
    exclude: Option<PatternList>,
    rules: ColumnRules,
}

impl ColumnDraft {
    pub(super) fn include(&mut self, list: &NameList) -> Result<(), String> {
        self.include = Some(parse(list, "column.include.list")?);
        Ok(())
    }

    pub(super) fn exclude(&mut self, list: &NameList) -> Result<(), String> {
        self.exclude = Some(parse(list, "column.exclude.list")?);
        Ok(())
    }

    /// Adds the mask of one of Debezium's keys.
    pub(super) fn mask_by_key(&mut self, key: &str, columns: &NameList) -> Result<(), String> {
        let kind = key.strip_prefix("column.mask.").unwrap_or_default();
        let mask = if let Some(number) = kind.strip_prefix("with.").and_then(|rest| rest.strip_suffix(".chars")) {
            Mask::Asterisks(characters(number, ASTERISKS_MAX)?)
        } else if let Some(kind) = kind.strip_prefix("hash.") {
            let (version, kind) = match kind.strip_prefix("v2.") {
                Some(rest) => (HashVersion::V2, rest),
                None => (HashVersion::V1, kind),
            };
            let (algorithm, salt) = kind.split_once(SALT).ok_or(MASK_KEYS)?;
            hash(version, algorithm, salt)?
        } else {
            return Err(MASK_KEYS.to_owned());
        };
        self.rules.masks.push((non_empty(columns, "column.mask")?, mask));
        Ok(())
    }

    /// Adds a mask of our own file.
    pub(super) fn mask_by_table(&mut self, texts: Fields) -> Result<(), String> {
        let (columns, [chars, name, salt, version]) =
            fields(texts, ["chars", "hash", "salt", "hash_version"], MASK_TABLE)?;
        let columns = non_empty(&columns.ok_or(MASK_TABLE)?, "columns.mask")?;
        let mask = match (chars, name, salt) {
            (Some(number), None, None) if version.is_none() => Mask::Asterisks(characters(&number, ASTERISKS_MAX)?),
            (None, Some(algorithm), Some(salt)) => {
                let version = match version.as_deref() {
                    None | Some("2") => HashVersion::V2,
                    Some("1") => HashVersion::V1,
                    Some(other) => {
                        return Err(format!("{other:?} is not a hash_version; write 2, or 1 for Debezium's first one"));
                    }
                };
                hash(version, &algorithm, &salt)?
            }
            (None, Some(_), None) => return Err("a hash needs a salt; add salt = \"…\"".to_owned()),
            _ => return Err(MASK_TABLE.to_owned()),
        };
        self.rules.masks.push((columns, mask));
        Ok(())
    }

    /// Adds the truncation of one of Debezium's keys.
    pub(super) fn truncate_by_key(&mut self, key: &str, columns: &NameList) -> Result<(), String> {
        let number = key.strip_prefix("column.truncate.to.").and_then(|rest| rest.strip_suffix(".chars"));
        let characters = characters(number.ok_or(TRUNCATE_KEY)?, CHARACTERS_MAX)?;
        self.rules.truncations.push((non_empty(columns, "column.truncate")?, characters));
        Ok(())
    }

    /// Adds a truncation of our own file.
    pub(super) fn truncate_by_table(&mut self, texts: Fields) -> Result<(), String> {
        let (columns, [chars]) = fields(texts, ["chars"], TRUNCATE_TABLE)?;
        let (Some(columns), Some(number)) = (columns, chars) else { return Err(TRUNCATE_TABLE.to_owned()) };
        let columns = non_empty(&columns, "columns.truncate")?;
        self.rules.truncations.push((columns, characters(&number, CHARACTERS_MAX)?));
        Ok(())
    }

    /// Returns the rules; the error is one sentence.
    pub(super) fn finish(self) -> Result<ColumnRules, String> {
        let mut rules = self.rules;
        let filled = |list: Option<PatternList>| list.filter(|list| !list.is_empty());
        rules.selection = match (filled(self.include), filled(self.exclude)) {
            (Some(_), Some(_)) => {
                return Err(
                    "column.include.list and column.exclude.list are both given, but exclude each other; remove one"
                        .to_owned(),
                );
            }
            (Some(list), None) => ColumnSelection::Include(list),
            (None, Some(list)) => ColumnSelection::Exclude(list),
            (None, None) => ColumnSelection::All,
        };
        // If several masks match a column, the first one applies. Debezium prefers asterisks, then its first hash.
        rules.masks.sort_by_key(|(_, mask)| match mask {
            Mask::Asterisks(_) => 0,
            Mask::Hash(hash) if hash.version() == HashVersion::V1 => 1,
            Mask::Hash(_) => 2,
        });
        Ok(rules)
    }
}

/// Returns a key without its salt, for messages.
pub(super) fn shown(key: &str) -> &str {
    key.split_once(SALT).map_or(key, |(before, _)| before)
}

fn parse(list: &NameList, name: &str) -> Result<PatternList, String> {
    PatternList::compile(list)
        .map_err(|PatternError { pattern, reason }| format!("{pattern} in {name} cannot be used ({reason})"))
}

fn non_empty(list: &NameList, name: &str) -> Result<PatternList, String> {
    let list = parse(list, name)?;
    if list.is_empty() { Err(format!("{name} names no column; write database.table.column")) } else { Ok(list) }
}

fn characters(number: &str, max: u32) -> Result<u32, String> {
    let parsed = number.trim().parse::<u32>().ok().filter(|characters| *characters <= max);
    parsed.ok_or_else(|| format!("{number:?} is not a number of characters from 0 to {max}"))
}

fn hash(version: HashVersion, algorithm: &str, salt: &str) -> Result<Mask, String> {
    if salt.is_empty() {
        return Err("the salt is empty; write one that nobody can guess".to_owned());
    }
    let hash = SaltedHash::new(version, algorithm, salt);
    hash.map(Mask::Hash).ok_or_else(|| format!("{algorithm:?} is not a hash function that can be used: {ALGORITHMS}"))
}

/// Returns the columns of a table, and the values of the other fields in the order of `names`.
fn fields<const N: usize>(
    fields: Fields,
    names: [&str; N],
    form: &str,
) -> Result<(Option<NameList>, [Option<String>; N]), String> {
    let mut columns = None;
    let mut values = [const { None }; N];
    for (name, list) in fields {
        let slot = names.iter().position(|known| *known == name).and_then(|index| values.get_mut(index));
        match (slot, list) {
            (None, list) if name == "columns" => columns = Some(list),
            (Some(slot), NameList::Text(text)) => *slot = Some(text),
            (Some(_), NameList::Entries(_)) => return Err(format!("{name:?} takes one value; {form}")),
            (None, _) => return Err(format!("{name:?} is not known here; {form}")),
        }
    }
    Ok((columns, values))
}
