import ApusGraph
import ApusPluginHost
import ApusRuntime

/// Plans the job of this process anew: with another number of subtasks, or another job file.
struct JobReplanner: Sendable {
    let preparation: JobPreparation
    let job: JobDescription
    let admission: PluginAdmission

    /// The same job with another number of subtasks; its operators keep the versions that run.
    ///
    /// - Throws: The status of a start that fails, after it has said what is wrong.
    func rescaled(to parallelism: Int, _ running: JobPreparation.Loaded) throws -> JobRelaunch {
        let choices = running.implementations.compactMapValues { implementation in
            JobPreparation.Choice(
                path: implementation.plugin.imagePath,
                component: implementation.description.id
            )
        }
        let loaded = try preparation.load(
            job,
            admission,
            choices: choices.filter { choice in job.operators.contains { $0.id == choice.key } },
            parallelism: parallelism
        )
        return JobRelaunch(ending: .stop, loaded: loaded)
    }

    /// The job of another file; a swap of the job that runs counts no more.
    ///
    /// - Throws: The status of a start that fails, after it has said what is wrong.
    func upgraded(to file: String, parallelism: Int) throws -> JobRelaunch {
        let preparation = preparation.of(file)
        let job = try preparation.readJob()
        guard job.name == self.job.name,
            job.durability.checkpoint?.directory == self.job.durability.checkpoint?.directory
        else {
            Console.error(
                "\(file): expected the job '\(self.job.name)' with the checkpoint folder that it "
                    + "has, found '\(job.name)'"
            )
            throw ExitStatus.invalid
        }
        let loaded = try preparation.load(job, admission, parallelism: parallelism)
        return JobRelaunch(ending: .stop, loaded: loaded)
    }
}
