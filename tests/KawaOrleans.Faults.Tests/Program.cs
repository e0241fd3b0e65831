using KawaOrleans.Faults.Tests.Killing;

namespace KawaOrleans.Faults.Tests;

internal static class Program
{
    /// <summary>The process that is killed: appends to the data directory named, until then.</summary>
    private static async Task<int> Main(string[] args) => await AppendingProcess.RunAsync(args[0], Console.OpenStandardOutput());
}
