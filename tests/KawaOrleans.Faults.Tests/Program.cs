using KawaOrleans.Faults.Tests.Killing;
using KawaOrleans.Faults.Tests.Soaking;

namespace KawaOrleans.Faults.Tests;

internal static class Program
{
    /// <summary>A process that a test kills: a client of the soak, or one that appends to the data directory named.</summary>
    private static async Task<int> Main(string[] args) => args is [SoakProcess.Role, .. var soak]
        ? await SoakProcess.RunAsync(soak)
        : await AppendingProcess.RunAsync(args[0], Console.OpenStandardOutput());
}
