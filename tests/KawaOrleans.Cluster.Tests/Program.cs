using KawaOrleans.Cluster.Tests.ChainStore;

// The test runner loads this assembly; run by itself it is the second process of a test.
return args is ["swap", var directory, var log, var swaps]
    ? await Swapper.Run(directory, log, int.Parse(swaps, System.Globalization.CultureInfo.InvariantCulture))
    : throw new ArgumentException("This is a test assembly: dotnet test. Its own command is: swap DIRECTORY LOG SWAPS.");
