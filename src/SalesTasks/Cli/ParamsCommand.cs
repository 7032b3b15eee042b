using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using SalesTasks.Airflow;
using Spectre.Console;

namespace SalesTasks.Cli;

/// <summary><c>params &lt;command or DAG id&gt; [--schema]</c>: what a command accepts, as a table or as JSON Schema.</summary>
internal static class ParamsCommand
{
    public static PeopleCommand Create(IReadOnlyList<DagDefinition> dags, IReadOnlyList<JobDefinition> others)
    {
        var name = new Argument<string[]>("command")
        {
            Description = "A command, such as: scoring score; or a DAG id",
            Arity = ArgumentArity.OneOrMore,
        };
        var schema = new Option<bool>("--schema") { Description = "JSON Schema" };
        var command = new PeopleCommand(
            "params", "Show the parameters of a command or a DAG", (context, _) => Task.FromResult(Run(context)));
        command.Arguments.Add(name);
        command.Options.Add(schema);
        return command;

        ExitCode Run(PeopleContext context)
        {
            var title = string.Join(' ', context.Parse.GetRequiredValue(name));
            var parameters = Find(dags, others, title);
            if (context.Parse.GetValue(schema) || context.Json)
            {
                context.Host.Out.WriteLine(SchemaJson(title, parameters));
                return ExitCode.Done;
            }

            var table = new Table().AddColumns(
                context.Text("Parameter", "Parámetro"), context.Text("Default", "Por defecto"), context.Text("Allowed", "Permitido"),
                context.Text("What it does", "Qué hace"));
            foreach (var parameter in parameters.All)
            {
                table.AddRow(
                    Markup.Escape(parameter.Name), Markup.Escape(Default(parameter)),
                    Markup.Escape(parameter.Allowed), Markup.Escape(parameter.Description));
            }

            context.Console.Write(table);
            return ExitCode.Done;
        }
    }

    /// <summary>As a flag or SALES_PARAMS would write it.</summary>
    private static string Default(Parameter parameter) =>
        parameter.DefaultAsObject switch
        {
            true => "true",
            false => "false",
            var value => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
        };

    private static ParameterSet Find(IReadOnlyList<DagDefinition> dags, IReadOnlyList<JobDefinition> others, string name)
    {
        var jobs = dags.SelectMany(d => d.Steps).Concat(others).ToList();
        return dags.FirstOrDefault(d => string.Equals(d.Id, name, StringComparison.Ordinal))?.Parameters
            ?? jobs.Find(j => string.Equals(j.Name, name, StringComparison.Ordinal))?.Parameters
            ?? throw JobException.Usage($"params: {Quoted.Text(name)} has no parameters; allowed: "
                + string.Join(", ", dags.Select(d => d.Id).Concat(jobs.Select(j => j.Name)).Distinct(StringComparer.Ordinal)));
    }

    private static string SchemaJson(string title, ParameterSet parameters)
    {
        using var buffer = new MemoryStream();
        var options = new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(buffer, options))
        {
            ParameterSchema.Write(json, title, parameters);
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
