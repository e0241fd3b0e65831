using KawaOrleans.Cluster.Tests.ChainStore;
using KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

// The test runner loads this assembly; run by itself it runs seeds of the simulation, or is the second process of a test.
return args switch
{
    [SimulateCommand.Name, .. var simulate] => SimulateCommand.Run(simulate),
    ["swap", var directory, var log, var swaps] => await Swapper.Run(directory, log, int.Parse(swaps, System.Globalization.CultureInfo.InvariantCulture)),
    _ => throw new ArgumentException("This is a test assembly: dotnet test. Its own commands are: simulate --seeds N [--from S]; swap DIRECTORY LOG SWAPS."),
};
