using Spectre.Console;

namespace KawaOrleans.Cli;

/// <summary>Where results, tables, progress and errors go.</summary>
/// <param name="Output">Results as lines, never wrapped.</param>
/// <param name="OpenOutput">The same place, for bytes.</param>
/// <param name="Error">Errors and notes.</param>
/// <param name="Tables">Tables, to the output.</param>
/// <param name="Progress">Progress bars, to where errors go, so that results can be piped.</param>
/// <param name="Input">Where somebody answers questions; null when nobody can.</param>
internal sealed record Terminal(TextWriter Output, Func<Stream> OpenOutput, TextWriter Error, IAnsiConsole Tables, IAnsiConsole Progress, TextReader? Input)
{
    private const int WidthWithoutTerminal = 200;

    public static Terminal OfProcess() => Of(
        Console.Out, Console.OpenStandardOutput, Console.Error, Console.IsOutputRedirected, Console.IsInputRedirected ? null : Console.In);

    public static Terminal Of(TextWriter output, Func<Stream> openOutput, TextWriter error, bool redirected, TextReader? input = null)
    {
        var tables = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (redirected)
        {
            tables.Profile.Width = WidthWithoutTerminal;
        }

        return new Terminal(output, openOutput, error, tables, AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) }), input);
    }
}
