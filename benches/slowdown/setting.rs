//! Where and how the run is made.

use crate::arguments::Arguments;
use iverson::reports::data::Setting;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// The setting of this run; what the machine does not tell is `unknown`.
pub(crate) fn setting(arguments: &Arguments) -> Setting {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Setting {
        machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        cpu: format!("{}, {cores} cores", processor()),
        second_cache: second_cache(),
        commit: commit(),
        rustc: output("rustc", &["--version"]),
        seed: arguments.seed,
        flags: arguments.given.clone(),
        date: date(),
    }
}

fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.and_then(|rest| rest.split_once(':'));
    model.map_or_else(|| "unknown processor".to_owned(), |(_, name)| name.trim().to_owned())
}

/// Bytes of the second cache, where Linux tells: `2048K`.
fn second_cache() -> Option<u64> {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/cpu0/cache/index2/size").ok()?;
    let kibibytes: u64 = text.trim().strip_suffix('K')?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The commit, with a mark if the sources differ from it.
fn commit() -> String {
    let commit = output("git", &["rev-parse", "--short", "HEAD"]);
    match output("git", &["status", "--porcelain", "--untracked-files=no"]).as_str() {
        "" | "unknown" => commit,
        _ => commit + " with changes",
    }
}

fn output(command: &str, arguments: &[&str]) -> String {
    let folder = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(command).args(arguments).current_dir(folder).output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "unknown".to_owned(),
    }
}

/// Today in UTC.
fn date() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut days = seconds / 86_400;
    let mut year = 1970;
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}
