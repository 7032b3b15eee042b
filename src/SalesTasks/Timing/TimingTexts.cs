using System.Text.Json;
using SalesTasks.Cli;

namespace SalesTasks.Timing;

/// <summary>Words that <c>timing show</c> and <c>explain</c> share.</summary>
internal static class TimingTexts
{
    public static string State(PeopleContext context, string state, string? reason) => state switch
    {
        "applied" => context.Text("applied: learned hours are in use", "aplicado: se usan las horas aprendidas"),
        "ready" => context.Text("ready: hours are learned and not in use", "listo: hay horas aprendidas y no se usan"),
        "fallback" => context.Text(
            "fallback: learned hours gained nothing, plain windows for four weeks",
            "repliegue: las horas aprendidas no mejoraron nada, ventanas normales durante cuatro semanas"),
        _ when reason == "no_effect" => context.Text(
            "learning: no hour is credibly better than another", "aprendiendo: ninguna hora es mejor que otra de forma creíble"),
        _ when reason == "thin_data" => context.Text("learning: too few contacts so far", "aprendiendo: todavía hay pocos contactos"),
        _ => context.Text("learning: nothing was analysed yet (timing analyze)", "aprendiendo: aún no se ha analizado nada (timing analyze)"),
    };

    public static string Weekday(PeopleContext context, int weekday) => context.Text(
        ((string[])["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])[weekday - 1],
        ((string[])["lun", "mar", "mié", "jue", "vie", "sáb", "dom"])[weekday - 1]);

    public static string Segment(PeopleContext context, string segment) => segment switch
    {
        SlotModel.Everybody => context.Text("(all others)", "(todos los demás)"),
        "none" => context.Text("(no industry)", "(sin sector)"),
        _ => segment,
    };

    public static string Channel(PeopleContext context, string channel) => channel switch
    {
        "call" => context.Text("call", "llamada"),
        "email" => context.Text("e-mail", "correo"),
        _ => channel,
    };

    /// <summary>A rate with its 90 % interval, in percent.</summary>
    public static string Rate(JsonElement of, string name) => FormattableString.Invariant(
        $"{Percent(of, name):0.0} % [{Percent(of, name + "_low"):0.0}–{Percent(of, name + "_high"):0.0}]");

    private static double Percent(JsonElement of, string name) => 100 * of.GetProperty(name).GetDouble();

    public static string? Text(JsonElement of, string name) => of.GetProperty(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    public static bool IsNumber(JsonElement of, string name) => of.GetProperty(name).ValueKind == JsonValueKind.Number;
}
