//! Computes the columns of a table after an `ALTER TABLE`, and their order.
//!
//! The order of the steps is the server's: first each old column is dropped, changed or kept in its place; then new
//! columns, and changed columns with a position, are inserted in the order of the text.

use super::facts::{AlterClause, ColumnDefinition, ColumnPosition};
use super::name_case::is_same_in_lower_case as same;

/// A column after the statement, and the name by which keys know it.
pub(super) struct Arranged {
    pub(super) column: ColumnDefinition,
    /// The column's old name, or its own for a new column. So a column that one statement drops and adds again keeps
    /// its keys.
    pub(super) was: String,
}

/// Applies the clauses that concern columns, and returns the columns in their new order.
pub(super) fn arrange(columns: Vec<ColumnDefinition>, clauses: &[AlterClause]) -> Vec<Arranged> {
    let before: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let mut arranged: Vec<Arranged> = columns.into_iter().filter_map(|column| in_place(column, clauses)).collect();
    for clause in clauses {
        let (column, position, was) = match clause {
            AlterClause::AddColumn { column, position, .. } => {
                // IF NOT EXISTS skips an existing column. Without it the server would have refused the statement, so
                // the table's description is newer than this place of the log and already has the column.
                if arranged.iter().any(|arranged| same(&arranged.column.name, &column.name)) {
                    continue;
                }
                (column, position, &column.name)
            }
            AlterClause::ChangeColumn { old, column, position }
                if *position != ColumnPosition::Unsaid && before.iter().any(|name| same(name, old)) =>
            {
                (column, position, old)
            }
            _ => continue,
        };
        let at = match position {
            ColumnPosition::First => 0,
            ColumnPosition::After(name) => arranged
                .iter()
                .position(|arranged| same(&arranged.column.name, name))
                .map_or(arranged.len(), |index| index + 1),
            ColumnPosition::Unsaid => arranged.len(),
        };
        arranged.insert(at, Arranged { column: (**column).clone(), was: was.clone() });
    }
    arranged
}

/// Returns an old column as changed by the clauses; `None` if a clause drops it or moves it to another position.
fn in_place(mut column: ColumnDefinition, clauses: &[AlterClause]) -> Option<Arranged> {
    let was = column.name.clone();
    for clause in clauses {
        match clause {
            AlterClause::DropColumn { name } if same(name, &was) => return None,
            AlterClause::RenameColumn { from, to } if same(from, &was) => column.name.clone_from(to),
            AlterClause::SetDefault { column: name, default } if same(name, &was) => column.default.clone_from(default),
            AlterClause::SetVisibility { column: name, invisible } if same(name, &was) => column.invisible = *invisible,
            AlterClause::ChangeColumn { old, column: changed, position } if same(old, &was) => {
                if *position != ColumnPosition::Unsaid {
                    return None;
                }
                column = (**changed).clone();
            }
            _ => {}
        }
    }
    Some(Arranged { column, was })
}
