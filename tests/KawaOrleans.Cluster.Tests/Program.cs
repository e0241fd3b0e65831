using KawaOrleans.Cluster.Tests.ChainStore;
using KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

// The test runner loads this assembly; run by itself it runs seeds of the simulation, or is the second process of a test.
return args switch
{
    [SimulateCommand.Name, .. var simulate] => SimulateCommand.Run(simulate),
    ["swap", var kind, var place, var log, var swaps] => await Swapper.RunAsync(kind, place, log, int.Parse(swaps, System.Globalization.CultureInfo.InvariantCulture)),
    _ => throw new ArgumentException("This is a test assembly: dotnet test. Its own commands are: simulate --seeds N [--from S]; swap file|redis PLACE LOG SWAPS."),
};
