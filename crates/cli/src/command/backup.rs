//! `bitacora backup` and `bitacora repair`.

use std::fs;
use std::path::{Path, PathBuf};

use bitacora_broker::back_up;
use bitacora_data_folder::{copy, copy_file, finish, make_folder, prepare};

use crate::arguments::{Backup, Repair};
use crate::failure::Failure;

/// Copies a data folder into a new one. The processes that use it may run meanwhile.
///
/// Checkpoints are copied before the log. So a copied checkpoint is older than the copied log: its source sends some
/// rows again, which the broker drops as repeated. In the other order the checkpoint could rely on messages that the
/// copied log lacks.
pub(crate) async fn run(arguments: Backup) -> Result<(), Failure> {
    let done = tokio::task::spawn_blocking(move || back_up_all(&arguments.data_dir, &arguments.dir)).await;
    done?
}

/// Adds the logs that the metadata does not know to it again.
pub(crate) async fn repair(arguments: Repair) -> Result<(), Failure> {
    existing(&arguments.data_dir)?;
    let told = bitacora_broker::repair(&arguments.data_dir).await?;
    if told.is_empty() {
        println!("the metadata knows every log; nothing was changed");
    }
    for sentence in told {
        println!("{sentence}");
    }
    Ok(())
}

fn back_up_all(data_dir: &Path, to: &Path) -> Result<(), Failure> {
    existing(data_dir)?;
    bitacora_data_folder::refuse_unfinished(data_dir)?;
    let (metadata, sources) = (data_dir.join("metadata.redb"), data_dir.join("sources"));
    if !metadata.exists() && !sources.exists() {
        return Err(Failure::new(format!(
            "{} has nothing to back up: no metadata.redb and no sources; name the data folder with --data-dir",
            data_dir.display()
        )));
    }
    refuse_inside(data_dir, to)?;
    prepare(to)?;
    let checkpoints = if sources.exists() { copy_sources(data_dir, &sources, &to.join("sources"))? } else { 0 };
    let topics = if metadata.exists() { back_up(data_dir, to)? } else { 0 };
    finish(to)?;
    println!("{}: {checkpoints} checkpoints and {topics} topics", to.display());
    Ok(())
}

/// Copies the folder of every source, and returns the number of checkpoints.
fn copy_sources(data_dir: &Path, sources: &Path, to: &Path) -> Result<usize, Failure> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error: std::io::Error| Failure::new(format!("{} cannot be copied: {error}", path.display()))
    };
    let mut count = 0;
    make_folder(to).map_err(failed(to))?;
    for folder in entries(sources).map_err(failed(sources))?.into_iter().filter(|path| path.is_dir()) {
        let Some(name) = folder.file_name() else { continue };
        let target = to.join(name);
        make_folder(&target).map_err(failed(&target))?;
        for file in entries(&folder).map_err(failed(&folder))?.into_iter().filter(|path| path.is_file()) {
            let Some(name) = file.file_name() else { continue };
            let copied = target.join(name);
            match file.extension().and_then(|extension| extension.to_str()) {
                Some("redb") => {
                    copy(data_dir, &file, &copied)?;
                    count += 1;
                }
                // A file that is still being written.
                Some("new") => {}
                _ => copy_file(&file, &copied).map_err(failed(&file))?,
            }
        }
        fs::File::open(&target).and_then(|folder| folder.sync_all()).map_err(failed(&target))?;
    }
    fs::File::open(to).and_then(|folder| folder.sync_all()).map_err(failed(to))?;
    Ok(count)
}

fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
}

fn existing(data_dir: &Path) -> Result<(), Failure> {
    if data_dir.is_dir() {
        return Ok(());
    }
    Err(Failure::new(format!("there is no data folder {}; name it with --data-dir", data_dir.display())))
}

/// Refuses a copy inside the original, which would be copied with it and lost with it.
fn refuse_inside(data_dir: &Path, to: &Path) -> Result<(), Failure> {
    let (original, target) = (data_dir.canonicalize()?, std::path::absolute(to)?);
    let parent = target.ancestors().find_map(|folder| folder.canonicalize().ok());
    if parent.is_some_and(|parent| parent.starts_with(&original)) {
        return Err(Failure::new(format!("{} lies in the data folder; name a folder elsewhere", to.display())));
    }
    Ok(())
}
