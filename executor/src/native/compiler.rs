//! The system's C compiler, and a cache of what it made.
//!
//! The compiler is `$CC` or `cc`, run without a shell in a directory of its own. Libraries are kept under the
//! hash of text, flags and the compiler's version, in a directory that only the user may write to; where
//! there is none, nothing is kept.

use crate::math::Level;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use thiserror::Error;

/// Why there is no native code.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum NativeError {
    /// No compiler answers.
    #[error(
        "no C compiler: {wanted} does not run ({reason}); install one (gcc or clang), set CC to its path, or choose another engine"
    )]
    NoCompiler {
        /// What was looked for.
        wanted: String,
        /// What the system says.
        reason: String,
    },
    /// The compiler refuses the text.
    #[error("the C compiler fails: {command}\n{message}")]
    Refused {
        /// The command.
        command: String,
        /// Its messages.
        message: String,
    },
    /// A file cannot be read or written, or a library not be loaded.
    #[error("{what}: {reason}")]
    System {
        /// What was tried.
        what: String,
        /// What the system says.
        reason: String,
    },
}

/// No fused operations, and no promises about exceptions that keep loops out of vector registers; neither
/// changes a value. `IV_SIMD` lets sums be regrouped.
const FLAGS: [&str; 10] = [
    "-std=c11",
    "-O3",
    "-march=native",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fopenmp-simd",
    "-DIV_SIMD",
    "-shared",
    "-fPIC",
];

/// A C compiler that runs.
#[derive(Clone, Debug)]
pub struct Compiler {
    program: String,
    arguments: Vec<String>,
    version: String,
}

impl Compiler {
    /// `$CC`, or `cc`.
    ///
    /// # Errors
    /// [`NativeError::NoCompiler`] where it does not run.
    pub fn find() -> Result<Self, NativeError> {
        let given = std::env::var("CC").ok().filter(|cc| !cc.trim().is_empty());
        let wanted = given.as_ref().map_or("`cc`".to_owned(), |cc| format!("`{cc}` (from CC)"));
        let command = given.unwrap_or_else(|| "cc".to_owned());
        let mut words = command.split_whitespace().map(str::to_owned);
        let program = words.next().unwrap_or_default();
        let mut arguments: Vec<String> = words.collect();
        let missing = |reason: String| NativeError::NoCompiler { wanted: wanted.clone(), reason };
        let answer = Command::new(&program)
            .args(&arguments)
            .arg("--version")
            .output()
            .map_err(|e| missing(e.to_string()))?;
        if !answer.status.success() {
            return Err(missing(answer.status.to_string()));
        }
        let version = String::from_utf8_lossy(&answer.stdout).into_owned();
        if version.contains("Free Software Foundation") {
            // gcc may split the loop around a vector loop, and loses the vectors of one half
            arguments.push("-fno-split-loops".to_owned());
        }
        if Level::best().name() == "avx512" {
            // for some processors compilers take half of a register: the sums of a tile are then more than there are
            arguments.push("-mprefer-vector-width=512".to_owned());
        }
        if second_cache() >= 2 << 10 {
            arguments.push("-DIV_BLOCK=256".to_owned());
        }
        Ok(Self { program, arguments, version })
    }

    /// Compiles a text to a shared library, or finds it in the cache; `load` is given its path.
    ///
    /// * **Cost**: some 50 ms and more for large texts; from the cache, a millisecond.
    ///
    /// # Errors
    /// [`NativeError`]
    pub(super) fn library<T>(
        &self,
        source: &str,
        load: impl Fn(&Path) -> Result<T, NativeError>,
    ) -> Result<T, NativeError> {
        let folder = tempfile::Builder::new()
            .prefix("iverson-")
            .tempdir()
            .map_err(system("making a temporary directory"))?;
        let cache = cache(folder.path());
        let kept = cache.map(|cache| cache.join(format!("{}.so", self.key(source))));
        if let Some(kept) = kept.as_ref().filter(|kept| kept.exists()) {
            // a file that does not load is made again
            if let Ok(loaded) = load(kept) {
                return Ok(loaded);
            }
        }
        let made = self.compile(source, folder.path())?;
        let loaded = load(&made)?;
        if let Some(kept) = kept {
            keep(&made, &kept);
        }
        Ok(loaded)
    }

    fn key(&self, source: &str) -> String {
        let mut hash = blake3::Hasher::new();
        let parts = [source, &self.program, &self.version].into_iter();
        let parts = parts.chain(self.arguments.iter().map(String::as_str)).chain(FLAGS);
        for part in parts {
            hash.update(&(part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        // `-march=native` means another thing on another machine
        hash.update(features().as_bytes());
        hash.finalize().to_hex().to_string()
    }

    fn compile(&self, source: &str, folder: &Path) -> Result<PathBuf, NativeError> {
        let (text, made) = (folder.join("program.c"), folder.join("program.so"));
        std::fs::write(&text, source).map_err(system("writing the C text"))?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).args(FLAGS).current_dir(folder);
        command.args([text.as_os_str(), OsStr::new("-o"), made.as_os_str(), OsStr::new("-lm")]);
        let said: Output = command.output().map_err(system("running the C compiler"))?;
        if said.status.success() {
            return Ok(made);
        }
        let message = String::from_utf8_lossy(&said.stderr).into_owned();
        Err(NativeError::Refused { command: format!("{command:?}"), message })
    }
}

/// The second cache of a processor, in KB; 0 if it does not say.
fn second_cache() -> u32 {
    #[cfg(target_arch = "x86_64")]
    {
        const CACHES: u32 = 0x8000_0006;
        let known = std::arch::x86_64::__cpuid(0x8000_0000).eax >= CACHES;
        if known { std::arch::x86_64::__cpuid(CACHES).ecx >> 16 } else { 0 }
    }
    #[cfg(not(target_arch = "x86_64"))]
    0
}

/// An error of the system while doing `what`.
fn system(what: &str) -> impl Fn(std::io::Error) -> NativeError {
    move |e| NativeError::System { what: what.to_owned(), reason: e.to_string() }
}

/// What the processor can do, as far as compilers ask.
fn features() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = |start: &str| {
        text.lines().find(|line| line.starts_with(start)).unwrap_or_default().to_owned()
    };
    line("model name") + &line("flags")
}

/// The directory of kept libraries, if it is the user's alone.
fn cache(private: &Path) -> Option<PathBuf> {
    let base =
        std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let folder = base.or_else(home)?.join("iverson");
    std::fs::create_dir_all(&folder).ok()?;
    is_private(&folder, private).then_some(folder)
}

/// Whether a directory has the owner of one that was just made, and nobody else may write to it.
#[cfg(unix)]
fn is_private(folder: &Path, made: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(folder), Ok(made)) = (folder.metadata(), made.metadata()) else { return false };
    folder.uid() == made.uid() && folder.mode() & 0o022 == 0
}

/// Elsewhere the directories of a user are taken to be private.
#[cfg(not(unix))]
fn is_private(folder: &Path, _: &Path) -> bool {
    folder.is_dir()
}

/// Puts a library in the cache, whole or not at all. A cache that cannot be written to is no error: the
/// library is made again the next time.
fn keep(made: &Path, kept: &Path) {
    let Some(folder) = kept.parent() else { return };
    let Ok(file) = tempfile::NamedTempFile::new_in(folder) else { return };
    if std::fs::copy(made, file.path()).is_ok() {
        drop(file.persist(kept));
    }
}
