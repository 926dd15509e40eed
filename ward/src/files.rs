//! `ward files`: where stored files are.

use ward_server::{Hold, file_store};

use crate::cli::{FilesCommand, Here};
use crate::connect;
use crate::failure::{Done, Failure};
use crate::output::{Out, plain};

/// `ward files …`.
pub async fn run(command: FilesCommand, out: Out) -> Done {
    match command {
        FilesCommand::Copy { here, leave_missing } => copy(&here, leave_missing, out).await,
    }
}

async fn copy(here: &Here, leave_missing: bool, out: Out) -> Done {
    let opened = connect::open(here, Hold::Exclusive, "files copy").await?;
    let (bar, progress) = out.progress_of("copying files");
    let copied = file_store::copy(&opened, leave_missing, &*progress).await;
    bar.finish_and_clear();
    connect::close(opened).await?;
    let copied = copied?;
    out.answer(&copied, || {
        format!("{} files copied to the bucket {}", plain(&copied["copied"]), plain(&copied["to"]))
    });
    match copied["missing"].as_array().map_or(0, Vec::len) {
        0 => {
            out.say("the directory keeps its files; remove them when the server has run with the bucket for a while");
            Ok(())
        }
        missing if leave_missing => {
            out.say(format!("given up: {missing} files that are in the directory no more"));
            Ok(())
        }
        missing => Err(Failure::said_no(format!(
            "{missing} files that the database knows are not in the directory; everything else was copied. \
             The bucket is not used until they are there, or are given up with --leave-missing"
        ))),
    }
}
