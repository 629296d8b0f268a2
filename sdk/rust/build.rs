//! Compiles the host for tests, in C, when the feature `testing` asks for it.
//!
//! By hand, because the crate has no dependencies.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_TESTING").is_none() {
        return;
    }
    let c = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../c");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    let sources = fs::read_dir(c.join("testing")).unwrap_or_else(|problem| {
        panic!(
            "{}: {}; the feature `testing` needs sdk/c beside sdk/rust",
            c.join("testing").display(),
            problem
        )
    });
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".into());
    let mut archive = Command::new(env::var("AR").unwrap_or_else(|_| "ar".into()));
    archive.arg("crs").arg(out.join("libapus_testing.a"));
    println!("cargo:rerun-if-changed={}", c.display());
    for source in sources {
        let source = source.expect("a folder can be read to its end").path();
        if source.extension().map_or(true, |extension| extension != "c") {
            continue;
        }
        let object = out.join(source.file_stem().expect("it has a name")).with_extension("o");
        run(Command::new(&compiler)
            .args(["-std=c11", "-O1", "-fPIC", "-c"])
            .arg("-I")
            .arg(c.join("include"))
            .arg("-I")
            .arg(c.join("testing/include"))
            .arg(&source)
            .arg("-o")
            .arg(&object));
        archive.arg(object);
    }
    run(&mut archive);
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=apus_testing");
}

fn run(command: &mut Command) {
    match command.status() {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("{:?} ended with {}", command, status),
        Err(problem) => panic!("{:?}: {}", command, problem),
    }
}
