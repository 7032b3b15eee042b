using System.CommandLine;
using SalesTasks.Airflow;

namespace SalesTasks.Cli;

/// <summary>All subcommands of the program. A typo never runs a default action: it ends in 64 with what is allowed.</summary>
internal sealed class CommandTree
{
    private readonly RootCommand _root = new("SalesTasks: turns a PostgreSQL database of leads into a worked sales pipeline.");
    private readonly Dictionary<Command, JobEntry> _jobs = [];
    private readonly CommandHost _host;

    /// <param name="host">What the program runs in.</param>
    /// <param name="dags">The DAGs, whose steps are commands.</param>
    /// <param name="others">Jobs that no DAG launches.</param>
    public CommandTree(CommandHost host, IReadOnlyList<DagDefinition> dags, params JobDefinition[] others)
    {
        _host = host;
        _root.Directives.Clear();
        foreach (var job in dags.SelectMany(d => d.Steps).Concat(others).DistinctBy(j => j.Name, StringComparer.Ordinal))
        {
            Add(job, new ParameterSet(dags.Where(d => d.Steps.Contains(job)).SelectMany(d => d.Parameters.All)));
        }

        _root.Subcommands.Add(ParamsCommand.Create(dags, others));
    }

    /// <summary>All commands, as the parser has them.</summary>
    public Command Root => _root;

    /// <summary>Adds a command for people under <paramref name="group"/> (none: at the top).</summary>
    public void Add(PeopleCommand command, params string[] group) => Group(group).Subcommands.Add(command);

    /// <summary>Parses, reports every fault at once, or runs the one command.</summary>
    public async Task<ExitCode> RunAsync(string[] arguments)
    {
        try
        {
            // No response files: an argument that begins with @ is what it says, such as a lead's ext_id.
            return await RunAsync(_root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null }));
        }
        catch (IOException exception)
        {
            await _host.Error.WriteLineAsync("error: the output cannot be written: " + exception.Message);
            return ExitCode.TemporaryFailure;
        }
        catch (Exception exception)
        {
            await _host.Error.WriteLineAsync($"error: defect: {Defect.Kind(exception)}\n{Defect.Stack(exception)}");
            return ExitCode.Defect;
        }
    }

    private async Task<ExitCode> RunAsync(ParseResult parse)
    {
        var faults = UsageFaults.Of(parse);
        if (parse.Action is not null && faults.Count == 0)
        {
            // Help and version.
            return (ExitCode)await parse.InvokeAsync(
                new InvocationConfiguration { Output = _host.Out, Error = _host.Error, EnableDefaultExceptionHandler = false });
        }

        var command = parse.CommandResult.Command;
        if (_jobs.TryGetValue(command, out var entry))
        {
            return await new JobRunner(_host, entry.Job, entry.DagParameters).RunAsync(entry.Flags(parse), faults);
        }

        if (command is PeopleCommand people && faults.Count == 0)
        {
            return await people.RunAsync(_host, parse);
        }

        foreach (var fault in faults)
        {
            await _host.Error.WriteLineAsync("error: " + fault);
        }

        await _host.Error.WriteLineAsync($"see: {Path(command)} --help");
        return ExitCode.Usage;
    }

    private static string Path(Symbol command)
    {
        var words = new List<string>();
        for (Symbol? current = command; current is not null and not RootCommand; current = current.Parents.FirstOrDefault())
        {
            words.Insert(0, current.Name);
        }

        return string.Join(' ', words.Prepend("sales-tasks"));
    }

    private void Add(JobDefinition job, ParameterSet dagParameters)
    {
        var words = job.Name.Split(' ');
        var command = new Command(words[^1], job.Description);
        var options = new Dictionary<Parameter, Option<string?>>();
        foreach (var parameter in job.Parameters.All)
        {
            var option = new Option<string?>(parameter.Flag)
            {
                Description = $"{parameter.Description} [{parameter.Allowed}]",
                Arity = parameter.TextOfBareFlag is null ? ArgumentArity.ExactlyOne : ArgumentArity.ZeroOrOne,
                HelpName = parameter.Name,
            };
            options.Add(parameter, option);
            command.Options.Add(option);
        }

        Group(words[..^1]).Subcommands.Add(command);
        _jobs.Add(command, new JobEntry(job, dagParameters, options));
    }

    private Command Group(string[] words)
    {
        Command group = _root;
        foreach (var word in words)
        {
            var next = group.Subcommands.FirstOrDefault(c => string.Equals(c.Name, word, StringComparison.Ordinal));
            if (next is null)
            {
                next = new Command(word, CommandGroups.Describe(word));
                group.Subcommands.Add(next);
            }

            group = next;
        }

        return group;
    }

    private sealed record JobEntry(JobDefinition Job, ParameterSet DagParameters, Dictionary<Parameter, Option<string?>> Options)
    {
        public Dictionary<string, string> Flags(ParseResult parse)
        {
            var flags = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var (parameter, option) in Options)
            {
                // A flag without the value it needs, or given twice, is a fault of the command line already.
                if (parse.GetResult(option) is { Implicit: false } result
                    && (result.Tokens.Count == 1 ? result.Tokens[0].Value : parameter.TextOfBareFlag) is { } text)
                {
                    flags[parameter.Name] = text;
                }
            }

            return flags;
        }
    }
}

internal static class CommandGroups
{
    public static string Describe(string word) => word switch
    {
        "scoring" => "Score leads, qualify them into the pipeline, edit the rules",
        "rules" => "Show, check and change the scoring rules",
        "routing" => "Give leads to reps, and replay how",
        "reps" => "List, add and change sales representatives",
        "leads" => "Import and show leads",
        "followup" => "Create follow-up tasks and report on them",
        "pipeline" => "Move deals on by what happened",
        "mappings" => "Column mappings for imports, saved by name",
        "ml" => "Predictions: train, judge, drift, model cards, benchmark",
        "timing" => "Learn and use the best time to contact whom",
        "alerts" => "Find situations that need a person, show and settle their alerts",
        "outbox" => "Send messages, show and settle those that are in doubt or dead",
        "suppressions" => "Addresses that must not be written to or called any more",
        "campaigns" => "Sequences of e-mails, calls and tasks for leads",
        "reports" => "Build the weekly or monthly report and bring it to people",
        "experiment" => "Hold out a random share of leads and measure what the automation does",
        "crm" => "Keep leads and deals in step with the CRM, show and settle what did not go through",
        "privacy" => "What is stored about people: give it out, take it out of everything, encrypt it, let it expire",
        "db" => "Schema and database care",
        "roles" => "Group roles of the database: who may do what",
        "audit" => "Who changed what, and who read about whom",
        "backup" => "Make, list, verify and restore backups",
        "retention" => "How long what is kept",
        _ => throw new ArgumentOutOfRangeException(nameof(word), word, "A command group needs a description."),
    };
}
