using KawaOrleans.ClientSample;
using Spectre.Console;

return await CommandTree.RunAsync(args, AnsiConsole.Console, Console.OpenStandardOutput);
