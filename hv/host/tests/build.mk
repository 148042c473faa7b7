# Tests of what of hv/host runs hosted.

$(eval $(call host_test,host-memory,hv/host/tests/test_memory.c hv/host/memory.c,$(HOST_HV)))
