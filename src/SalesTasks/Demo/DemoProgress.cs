using SalesTasks.Cli;
using Spectre.Console;

namespace SalesTasks.Demo;

/// <summary>Tells on stderr how the demo gets on: a spinner on a terminal, a line for each finished step otherwise.</summary>
internal sealed class DemoProgress(PeopleContext context)
{
    private readonly IAnsiConsole _console = AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(context.Host.Error),
        Ansi = context.Host.ErrorIsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
    });

    /// <summary>Runs one step; the work may report what it is at.</summary>
    /// <param name="title">What is done, shown while it is.</param>
    /// <param name="work">Does it and gives the result with its outcome in words.</param>
    public async Task<(T Result, DemoStep Step)> RunAsync<T>(string title, Func<Action<string>, Task<(T Result, DemoStep Step)>> work)
    {
        var (result, step) = context.Host.ErrorIsTerminal
            ? await _console.Status().StartAsync(
                Markup.Escape(title), status => work(detail => status.Status(Markup.Escape($"{title}: {detail}"))))
            : await work(detail => context.Host.Error.WriteLine($"{title}: {detail}"));
        context.Host.Error.WriteLine($"{title}: {step.Outcome} ({step.Duration.TotalSeconds:0.0} s)");
        return (result, step);
    }
}
