using System.Globalization;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using Spectre.Console;

namespace SalesTasks.Setup;

/// <summary>The questions of <c>setup</c> on a terminal. All are asked before anything is done, so Ctrl-C here leaves nothing behind.</summary>
internal sealed class SetupWizard(PeopleContext context, CancellationToken stop)
{
    /// <summary>A connection as a URI, asked for where none is defined.</summary>
    public async Task<string> AskConnectionAsync(string id)
    {
        Say(
            $"No connection {id} is defined yet. Where is PostgreSQL? (12 or later; your own server or an empty database)",
            $"La conexión {id} aún no está definida. ¿Dónde está PostgreSQL? (12 o posterior; tu servidor o una base de datos vacía)");
        var host = await TextAsync("Host", "Servidor", "localhost");
        var port = await context.Console.PromptAsync(
            new TextPrompt<int>(context.Text("Port", "Puerto")).DefaultValue(5432)
                .Validate(value => value is > 0 and < 65_536 ? ValidationResult.Success() : ValidationResult.Error("1–65535")),
            stop);
        var database = await TextAsync("Database (created where it does not exist)", "Base de datos (se crea si no existe)", "sales");
        var user = await TextAsync("User", "Usuario", "postgres");
        var password = await context.Console.PromptAsync(
            new TextPrompt<string>(context.Text("Password", "Contraseña")).Secret().AllowEmpty(), stop);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"postgres://{Escape(user)}:{Escape(password)}@{Escape(host)}:{port}/{Escape(database)}");
    }

    /// <summary>What the flags leave open.</summary>
    public async Task<SetupPlan> AskPlanAsync(SetupPlan given)
    {
        var plan = given.Roles ? given : given with
        {
            Roles = await ConfirmAsync(
                "Make database roles for jobs, analysts and reps? (needs the right to create roles)",
                "¿Crear roles de base de datos para tareas, analistas y representantes? (requiere poder crear roles)", false),
        };
        if (plan is { RepsFile: null, SampleReps: false })
        {
            var choice = await context.Console.PromptAsync(
                new TextPrompt<string>(context.Text("Sales representatives: from a CSV file, four samples, or none for now?", "Representantes: ¿de un archivo CSV, cuatro de muestra o ninguno por ahora?"))
                    .AddChoices(["file", "sample", "none"]).DefaultValue("none"),
                stop);
            plan = choice switch
            {
                "file" => plan with { RepsFile = await FileAsync() },
                "sample" => plan with { SampleReps = true },
                _ => plan,
            };
        }

        return plan.SampleCampaigns
            ? plan
            : plan with { SampleCampaigns = await ConfirmAsync("Add the sample campaigns, disabled?", "¿Añadir las campañas de muestra, desactivadas?", false) };
    }

    public async Task<bool> ConfirmAsync(string english, string spanish, bool byDefault)
    {
        var prompt = new ConfirmationPrompt(context.Text(english, spanish)) { DefaultValue = byDefault };
        if (context.Text("en", "es") is "es")
        {
            prompt.Yes = 's';
        }

        return await prompt.ShowAsync(context.Console, stop);
    }

    public void Say(string english, string spanish) => context.Host.Out.WriteLine(context.Text(english, spanish));

    private Task<string> TextAsync(string english, string spanish, string byDefault) => context.Console.PromptAsync(
        new TextPrompt<string>(context.Text(english, spanish)).DefaultValue(byDefault), stop);

    private Task<string> FileAsync() => context.Console.PromptAsync(
        new TextPrompt<string>(context.Text("Path of the file", "Ruta del archivo")).Validate(path => File.Exists(path)
            ? ValidationResult.Success()
            : ValidationResult.Error(Markup.Escape(context.Text($"{Quoted.Text(path)} is not there", $"{Quoted.Text(path)} no existe")))),
        stop);

    private static string Escape(string part) => Uri.EscapeDataString(part);
}
