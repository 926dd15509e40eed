//! The processes below this one. On Linux those whose parents have ended come to this process, so
//! none gets lost, whatever group or session it made for itself; elsewhere nothing is known of
//! them.

use std::collections::HashSet;
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process};

/// From now on, orphans below this process become its children.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    {
        // Any process number switches it on.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }
}

/// This process is killed when the one that started it ends; `false` when that has ended already.
pub fn die_with(parent: u32) -> bool {
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    }
    let now = rustix::process::getppid();
    i32::try_from(parent).ok().and_then(Pid::from_raw) == now
}

/// Those that are below this process now are not its own: it came to them by `exec`. They and what
/// they start are left alone.
pub fn leave_alone_those_before() {
    let _ = BEFORE.set(descendants().into_iter().collect());
}

static BEFORE: OnceLock<HashSet<Pid>> = OnceLock::new();

fn is_before(process: Pid) -> bool {
    BEFORE.get().is_some_and(|before| before.contains(&process))
}

/// All of them, zombies apart.
pub fn descendants() -> Vec<Pid> {
    #[cfg(target_os = "linux")]
    {
        let mut found = Vec::new();
        let all = linux::processes();
        let mut parents = vec![rustix::process::getpid().as_raw_nonzero().get()];
        while let Some(parent) = parents.pop() {
            for process in all.iter().filter(|process| process.parent == parent) {
                let Some(id) = Pid::from_raw(process.id).filter(|id| !is_before(*id)) else {
                    continue;
                };
                parents.push(process.id);
                if !process.is_zombie {
                    found.push(id);
                }
            }
        }
        found
    }
    #[cfg(not(target_os = "linux"))]
    {
        Vec::new()
    }
}

/// Sends all of them a signal; whether there was one.
pub fn signal_all(signal: Signal) -> bool {
    let all = descendants();
    for process in &all {
        let _ = kill_process(*process, signal);
    }
    !all.is_empty()
}

/// Buries the orphans that have ended, but not `own`, whose status somebody waits for.
pub fn bury_orphans(own: Option<u32>) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{WaitOptions, getpid, waitpid};
        let here = getpid().as_raw_nonzero().get();
        let own = own.and_then(|id| i32::try_from(id).ok());
        for process in linux::processes() {
            if process.parent == here && process.is_zombie && Some(process.id) != own {
                let _ = waitpid(Pid::from_raw(process.id), WaitOptions::NOHANG);
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = own;
    }
}

#[cfg(target_os = "linux")]
mod linux {
    /// A process as `/proc` shows it.
    pub struct Process {
        pub id: i32,
        pub parent: i32,
        pub is_zombie: bool,
    }

    pub fn processes() -> Vec<Process> {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        // The name is whatever bytes the process chose.
        let stat = |id: i32| std::fs::read(format!("/proc/{id}/stat")).ok();
        ids.filter_map(|id| parsed(id, &String::from_utf8_lossy(&stat(id)?))).collect()
    }

    /// `id (name) state parent …`; the name may hold anything, parentheses too.
    pub fn parsed(id: i32, stat: &str) -> Option<Process> {
        let (_, rest) = stat.rsplit_once(')')?;
        let mut words = rest.split_whitespace();
        let (state, parent) = (words.next()?, words.next()?.parse().ok()?);
        Some(Process { id, parent, is_zombie: matches!(state, "Z" | "X") })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::linux::parsed;

    #[test]
    fn a_name_may_hold_anything() {
        let process = parsed(7, "7 (a) Z 1 (b) S 42 7 7 0").unwrap();
        assert_eq!((process.id, process.parent, process.is_zombie), (7, 42, false));
        assert!(parsed(8, "8 (gone) Z 1 8 8").unwrap().is_zombie);
        assert!(parsed(9, "nonsense").is_none());
    }
}
