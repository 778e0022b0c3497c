//! Panics: those of the database library become errors, every other panic ends the process.
//!
//! `redb` panics where it reads pages that it did not write. [`caught`] turns that into an error, so that the user gets
//! the file's name and a remedy. A panic anywhere else is a defect of this program. Without [`end_at_panic`] only the
//! task or thread would end: the process would look alive while nobody does that work.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};

use redb::StorageError;

thread_local! {
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` on a database; a panic in it becomes the error that the file is damaged.
///
/// `work` must be safe to interrupt: it only reads, or it writes within one transaction.
///
/// # Errors
/// The work panicked.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, StorageError> {
    let outer = IS_CAUGHT.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_CAUGHT.set(outer);
    done.map_err(|panic| StorageError::Corrupted(format!("its pages cannot be read: {}", text(panic.as_ref()))))
}

/// Ends the process with exit code 1 when any thread or task panics outside [`caught`]; before that, `tell` gets
/// the place in the source and the reason. Call it once, before any thread is started.
pub fn end_at_panic(tell: impl Fn(&str) + Send + Sync + 'static) {
    set_hook(Box::new(move |panic| {
        if IS_CAUGHT.get() {
            return;
        }
        let place = panic.location().map(|at| format!("{}:{}: ", at.file(), at.line())).unwrap_or_default();
        tell(&format!("{place}{}", text(panic.payload())));
        std::process::exit(1);
    }));
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{caught, end_at_panic};

    const CHILD: &str = "PANIC_OF_A_THREAD";

    /// The thread of a source once panicked, and the process went on for ever without it.
    #[test]
    fn a_panic_of_any_thread_ends_the_process_with_a_sentence() {
        if std::env::var_os(CHILD).is_some() {
            end_at_panic(|fault| eprintln!("ended: {fault}"));
            caught(|| assert_eq!(1, 2, "answered")).unwrap_err();
            std::thread::spawn(|| assert_eq!(1, 2, "not answered"));
            loop {
                std::thread::park();
            }
        }
        let name = "panic::tests::a_panic_of_any_thread_ends_the_process_with_a_sentence";
        let mut child = Command::new(std::env::current_exe().unwrap());
        let ended = child.args(["--exact", name, "--nocapture"]).env(CHILD, "1").output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(said.contains("ended: ") && said.contains("not answered"), "{said}");
    }

    #[test]
    fn a_panic_becomes_an_error_with_its_reason() {
        assert_eq!(caught(|| 7).unwrap(), 7);
        let error = caught(|| assert_eq!(1, 2, "a page of zeros")).unwrap_err();
        assert!(error.to_string().contains("a page of zeros"), "{error}");
    }
}
