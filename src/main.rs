//! Parse, run, print the error chain, exit code.

fn main() -> std::process::ExitCode {
    dialdeck::cli::main()
}
